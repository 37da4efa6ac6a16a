import { Injectable } from '@nestjs/common';
import type { NoticeKind } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Notice } from '../domain';
import { AlertStore, NoticeStore, type StoredNotice } from '../service/ports';
import type { Session } from '../service/session';

export interface NoticeRow {
  readonly notice_id: string;
  readonly customer_id: string;
  readonly kind: NoticeKind;
  readonly subject: string;
  readonly stage: string;
  readonly threshold: string | null;
  readonly at: string;
  readonly details: Record<string, string>;
}

/** No row: it was said before. */
const CLAIM = {
  name: 'notice_claim',
  text: `insert into notice (tenant_id, notice_id, customer_id, kind, subject, stage, threshold, at, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (tenant_id, customer_id, kind, subject, stage) do nothing returning notice_id`,
};

@Injectable()
export class PgNoticeStore extends NoticeStore {
  constructor(private readonly ids: Ids) {
    super();
  }

  override async claim({ tx, tenantId, now }: Session, notice: Notice): Promise<StoredNotice | null> {
    const id = this.ids.next();
    const { customerId, kind, subject, stage, threshold, details } = notice;
    const values = [tenantId, id, customerId, kind, subject, stage, threshold, pgInstant(now), details];
    const { rowCount } = await tx.query(CLAIM, values);
    return rowCount === 0 ? null : { ...notice, id, at: now };
  }

  override async find({ tx, tenantId }: Session, id: string): Promise<StoredNotice | null> {
    const { rows } = await tx.query<NoticeRow>(
      'select * from notice where tenant_id = $1 and notice_id = $2',
      [tenantId, id],
    );
    return rows[0] ? noticeOf(rows[0]) : null;
  }
}

export function noticeOf(row: NoticeRow): StoredNotice {
  const { kind, subject, stage, threshold, details } = row;
  return {
    id: row.notice_id,
    customerId: row.customer_id,
    kind,
    subject,
    stage,
    threshold,
    details,
    at: instantFromPg(row.at),
  };
}

@Injectable()
export class PgAlertStore extends AlertStore {
  override async add(
    { tx, tenantId, now }: Session,
    id: string,
    { kind, detail }: { kind: string; detail: string },
  ): Promise<void> {
    const text = `insert into alert (tenant_id, alert_id, kind, detail, at) values ($1, $2, $3, $4, $5) on conflict do nothing`;
    await tx.query({ name: 'alert_add', text }, [tenantId, id, kind, detail, pgInstant(now)]);
  }
}
