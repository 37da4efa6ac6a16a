import { Injectable } from '@nestjs/common';
import { pgInstant } from '@tallygate/platform';
import { AlertStore } from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/notices';

@Injectable()
export class PgAlertStore extends AlertStore {
  override async add(
    { tx, tenantId, now }: Session,
    id: string,
    { kind, detail }: { kind: string; detail: string },
  ): Promise<void> {
    await tx.query(sql.addAlert, [tenantId, id, kind, detail, pgInstant(now)]);
  }
}
