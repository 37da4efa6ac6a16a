import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import { Database, instantFromPg, pgInstant } from '@tallygate/platform';
import type { Fault } from '../domain/fault';
import type { AuditEntry } from '../service/audit-log';
import { DeadLetterStore } from '../service/dead-letters';
import type { DeadLetter, DeadLetterCode, DeadLetterStatus, NewDeadLetter } from '../service/dead-letters';
import { writeAudit } from './pg-audit-log';
import * as sql from './sql/dead-letters';

interface LetterRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly origin: string;
  readonly code: DeadLetterCode;
  readonly faults: readonly Fault[];
  readonly source: string | null;
  readonly event_id: string | null;
  readonly payload: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly received_at: string;
  readonly status: DeadLetterStatus;
  readonly mended: unknown;
}

@Injectable()
export class PgDeadLetterStore extends DeadLetterStore {
  constructor(
    private readonly database: Database,
    private readonly ids: Ids,
  ) {
    super();
  }

  override async add(letters: readonly NewDeadLetter[]): Promise<number> {
    const { rowCount } = await this.database.asWorker((tx) =>
      tx.query(sql.addLetters, [
        letters.map((letter) => letter.tenantId),
        letters.map(() => this.ids.next()),
        letters.map((letter) => letter.origin),
        letters.map((letter) => letter.code),
        letters.map((letter) => JSON.stringify(letter.faults)),
        letters.map((letter) => letter.source),
        letters.map((letter) => letter.eventId),
        letters.map((letter) => letter.payload),
        letters.map((letter) => JSON.stringify(letter.headers)),
        letters.map((letter) => pgInstant(letter.receivedAt)),
      ]),
    );
    return rowCount ?? 0;
  }

  override async list(
    tenantId: string,
    status: DeadLetterStatus,
    limit: number,
    after: string | null,
  ): Promise<readonly DeadLetter[]> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<LetterRow>(sql.listLetters, [tenantId, status, after, limit]),
    );
    return rows.map(letterOf);
  }

  override async find(tenantId: string, id: string): Promise<DeadLetter | null> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<LetterRow>(sql.findLetter, [tenantId, id]),
    );
    return rows[0] === undefined ? null : letterOf(rows[0]);
  }

  override async edit(tenantId: string, id: string, event: unknown, audit: AuditEntry): Promise<boolean> {
    return this.change(tenantId, sql.editLetter, [tenantId, id, JSON.stringify(event)], audit);
  }

  override async close(
    tenantId: string,
    id: string,
    status: 'replayed' | 'discarded',
    audit: AuditEntry,
  ): Promise<boolean> {
    return this.change(tenantId, sql.closeLetter, [tenantId, id, status], audit);
  }

  private async change(
    tenantId: string,
    statement: { name: string; text: string },
    values: readonly unknown[],
    audit: AuditEntry,
  ): Promise<boolean> {
    return this.database.asTenant(tenantId, async (tx) => {
      const { rowCount } = await tx.query(statement, [...values]);
      if (rowCount !== 1) return false;
      await writeAudit(tx, this.ids.next(), audit);
      return true;
    });
  }
}

function letterOf(row: LetterRow): DeadLetter {
  return {
    tenantId: row.tenant_id,
    id: row.id,
    origin: row.origin,
    code: row.code,
    faults: row.faults,
    source: row.source,
    eventId: row.event_id,
    payload: row.payload,
    headers: row.headers,
    receivedAt: instantFromPg(row.received_at),
    status: row.status,
    mended: row.mended,
  };
}
