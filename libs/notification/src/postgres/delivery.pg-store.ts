import { Injectable } from '@nestjs/common';
import type { NoticeKind } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import { pgInstant, pgInstantOrNull } from '@tallygate/platform';
import { type Channel, type Delivery, DeliveryStore } from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/deliveries';

interface DeliveryRow {
  readonly notice_id: string;
  readonly customer_id: string;
  readonly channel: Channel;
  readonly address: string;
  readonly tries: number;
}

const LONGEST_PROBLEM = 500;

@Injectable()
export class PgDeliveryStore extends DeliveryStore {
  override async add({ tx, tenantId, now }: Session, delivery: Omit<Delivery, 'tries'>): Promise<void> {
    const { id, noticeId, customerId, channel, address } = delivery;
    await tx.query(sql.add, [tenantId, id, noticeId, customerId, channel, address, pgInstant(now)]);
  }

  override async waiting({ tx, tenantId, now }: Session, id: string): Promise<Delivery | null> {
    const { rows } = await tx.query<DeliveryRow>(sql.waiting, [tenantId, id, pgInstant(now)]);
    if (!rows[0]) return null;
    const { notice_id: noticeId, customer_id: customerId, channel, address, tries } = rows[0];
    return { id, noticeId, customerId, channel, address, tries };
  }

  override async delivered({ tx, tenantId, now }: Session, id: string): Promise<void> {
    await tx.query(sql.delivered, [tenantId, id, pgInstant(now)]);
  }

  override async failed(
    { tx, tenantId }: Session,
    id: string,
    tries: number,
    problem: string,
    nextAt: Instant | null,
  ): Promise<void> {
    const shown = problem.slice(0, LONGEST_PROBLEM);
    await tx.query(sql.failed, [tenantId, id, tries, shown, pgInstantOrNull(nextAt)]);
  }

  override async redirect(
    { tx, tenantId, now }: Session,
    customerId: string,
    address: string,
  ): Promise<void> {
    await tx.query(sql.redirect, [tenantId, customerId, address, pgInstant(now)]);
  }

  override async onlyAbout(
    { tx, tenantId }: Session,
    customerId: string,
    kind: NoticeKind,
    subject: string | null,
  ): Promise<void> {
    await tx.query(sql.onlyAbout, [tenantId, customerId, kind, subject]);
  }
}
