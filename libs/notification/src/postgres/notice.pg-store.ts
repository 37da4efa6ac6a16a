import { Injectable } from '@nestjs/common';
import type { NoticeKind } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Notice } from '../domain';
import { NoticeStore, type StoredNotice } from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/notices';

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

@Injectable()
export class PgNoticeStore extends NoticeStore {
  constructor(private readonly ids: Ids) {
    super();
  }

  override async claim({ tx, tenantId, now }: Session, notice: Notice): Promise<StoredNotice | null> {
    const id = this.ids.next();
    const { customerId, kind, subject, stage, threshold, details } = notice;
    const values = [tenantId, id, customerId, kind, subject, stage, threshold, pgInstant(now), details];
    const { rowCount } = await tx.query(sql.claim, values);
    return rowCount === 0 ? null : { customerId, kind, subject, stage, threshold, details, id, at: now };
  }

  override async find({ tx, tenantId }: Session, id: string): Promise<StoredNotice | null> {
    const { rows } = await tx.query<NoticeRow>(sql.find, [tenantId, id]);
    return rows[0] ? noticeOf(rows[0]) : null;
  }

  override async unreached(
    { tx, tenantId }: Session,
    { customerId, kind, subject }: Pick<Notice, 'customerId' | 'kind' | 'subject'>,
  ): Promise<readonly StoredNotice[]> {
    const { rows } = await tx.query<NoticeRow>(sql.unreached, [tenantId, customerId, kind, subject]);
    return rows.map(noticeOf);
  }
}

export function noticeOf(row: NoticeRow): StoredNotice {
  const { notice_id: id, customer_id: customerId, kind, subject, stage, threshold, details } = row;
  return { id, customerId, kind, subject, stage, threshold, details, at: instantFromPg(row.at) };
}
