import { Injectable } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { formatInstant } from '@tallygate/kernel';
import { actionUrl, isLasting, isOptional, nextTry, notificationsUrl, renderMessage } from '../domain';
import { NotifierFacts } from './notifier-facts';
import {
  type Delivery,
  DeliveryStore,
  type MailResult,
  Mailer,
  NoticeStore,
  type OutgoingMail,
  type StoredNotice,
} from './ports';
import { type Session, Sessions } from './session';

/**
 * Delivers one notice over one channel, at least once: the mail is sent outside any transaction and marked after it was
 * taken, so a crash between the two sends it again under the same Message-ID.
 */
@Injectable()
export class Delivering {
  constructor(
    private readonly sessions: Sessions,
    private readonly deliveries: DeliveryStore,
    private readonly notices: NoticeStore,
    private readonly directory: Directory,
    private readonly mailer: Mailer,
    private readonly facts: NotifierFacts,
  ) {}

  async deliver(tenantId: string, customerId: string, deliveryId: string): Promise<void> {
    const prepared = await this.sessions.about(tenantId, [customerId], (session) =>
      this.prepare(session, deliveryId),
    );
    if (prepared === null) return;
    const result = await this.mailer.send(prepared.mail);
    await this.sessions.about(tenantId, [customerId], (session) =>
      this.settle(session, prepared.delivery, prepared.notice, result),
    );
  }

  private async prepare(session: Session, id: string) {
    const delivery = await this.deliveries.waiting(session, id);
    const notice = delivery && (await this.notices.find(session, delivery.noticeId));
    return delivery && notice && { delivery, notice, mail: await this.mailOf(session, delivery, notice) };
  }

  private async settle(
    session: Session,
    delivery: Delivery,
    notice: StoredNotice,
    result: MailResult,
  ): Promise<void> {
    if ((await this.deliveries.waiting(session, delivery.id)) === null) return;
    if (result.taken) {
      await this.deliveries.delivered(session, delivery.id);
      return this.facts.delivered(session, notice, delivery.channel);
    }
    const tries = delivery.tries + 1;
    const nextAt = result.permanent ? null : nextTry(tries, session.now, isLasting(notice.kind));
    await this.deliveries.failed(session, delivery.id, tries, result.problem, nextAt);
    if (nextAt === null) await this.facts.undeliverable(session, notice);
  }

  private async mailOf(
    { tx, tenantId }: Session,
    delivery: Delivery,
    notice: StoredNotice,
  ): Promise<OutgoingMail> {
    const tenant = await this.directory.tenant(tx, tenantId);
    const customer = await this.directory.customerById(tx, tenantId, notice.customerId);
    const portal = tenant?.settings.portalUrl ?? null;
    const { kind, subject, threshold, details } = notice;
    const key = customer?.key ?? '';
    const optional = isOptional(kind);
    const unsubscribeUrl = optional && portal !== null ? notificationsUrl(portal, key) : null;
    const context = {
      provider: tenant?.name ?? '',
      timezone: customer?.timezone ?? 'UTC',
      subject,
      threshold,
      details,
      actionUrl: portal === null ? null : actionUrl(kind, portal, key),
      unsubscribeUrl,
    };
    return {
      ...renderMessage(kind, context),
      to: delivery.address,
      messageId: `<${delivery.id}@tallygate>`,
      headers: headersOf(tenantId, key, notice),
      optional,
      unsubscribeUrl,
    };
  }
}

/** What the mail is about, for whoever files or checks it. */
function headersOf(
  tenantId: string,
  customerKey: string,
  { kind, subject, threshold, at }: StoredNotice,
): Record<string, string> {
  return {
    'X-Tallygate-Tenant': tenantId,
    'X-Tallygate-Customer': customerKey,
    'X-Tallygate-Kind': kind,
    'X-Tallygate-Subject': subject,
    'X-Tallygate-At': formatInstant(at),
    ...(threshold === null ? {} : { 'X-Tallygate-Threshold': threshold }),
  };
}
