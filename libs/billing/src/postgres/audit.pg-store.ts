import { Injectable } from '@nestjs/common';
import { formatInstant, Ids } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import { AuditLog } from '../service/ports';
import type { AuditEntry } from '../service/ports';
import type { Session } from '../service/tenant-session';

interface Row extends Record<string, unknown> {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

@Injectable()
export class PgAuditLog extends AuditLog {
  constructor(private readonly ids: Ids) {
    super();
  }

  override async record({ tx, tenantId, now, actor }: Session, entry: AuditEntry): Promise<void> {
    await tx.query(
      'insert into audit (tenant_id, id, at, actor, action, target, detail) values ($1, $2, $3, $4, $5, $6, $7)',
      [
        tenantId,
        this.ids.next(),
        pgInstant(now),
        actor,
        entry.action,
        entry.target,
        JSON.stringify(entry.detail ?? {}),
      ],
    );
  }

  override async list(
    { tx, tenantId }: Session,
    limit: number,
  ): Promise<readonly (AuditEntry & { at: string; actor: string })[]> {
    const { rows } = await tx.query<Row>(
      'select at, actor, action, target, detail from audit where tenant_id = $1 order by id desc limit $2',
      [tenantId, limit],
    );
    return rows.map((row) => ({ ...row, at: formatInstant(instantFromPg(row.at)) }));
  }
}
