import { Injectable } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { Ids } from '@tallygate/kernel';
import { type Notice, type Plan, latestDue, replan } from '../domain';
import { NotifierFacts } from './notifier-facts';
import { DeliveryStore, NoticeStore, ReminderStore, type StoredNotice } from './ports';
import type { Session } from './session';

/** Says something to a customer once: the claim, its deliveries and the feed entry commit together. */
@Injectable()
export class Notifying {
  constructor(
    private readonly notices: NoticeStore,
    private readonly deliveries: DeliveryStore,
    private readonly reminders: ReminderStore,
    private readonly directory: Directory,
    private readonly facts: NotifierFacts,
    private readonly ids: Ids,
  ) {}

  async notify(session: Session, notice: Notice): Promise<void> {
    const stored = await this.notices.claim(session, notice);
    if (stored === null) return;
    const customer = await this.directory.customerById(session.tx, session.tenantId, notice.customerId);
    const address = customer?.email ?? null;
    if (address === null) return this.facts.undeliverable(session, stored);
    await this.send(session, stored, address);
  }

  /** Plans things' reminders anew; what came due and was not said yet stays, unless it no longer holds. */
  async plan(session: Session, plans: readonly Plan[]): Promise<void> {
    if (plans.length === 0) return;
    const { keep, forget } = replan(await this.reminders.planned(session, plans), plans, session.now);
    if (forget.length > 0) await this.reminders.forget(session, forget);
    if (keep.length > 0) await this.reminders.keep(session, keep);
  }

  /** Says a reminder whose time has come, unless it was forgotten meanwhile. */
  async remind(session: Session, reminderId: string): Promise<void> {
    const reminder = latestDue(await this.reminders.takeDue(session, reminderId), session.now);
    if (reminder !== null) await this.notify(session, reminder);
  }

  /** The customer has an address, perhaps a new one: what waits goes there, and a warning that reached nobody does too. */
  async addressKnown(
    session: Session,
    customerId: string,
    address: string,
    owedSince: string | null,
  ): Promise<void> {
    await this.deliveries.redirect(session, customerId, address);
    if (owedSince === null) return;
    const about = { customerId, kind: 'suspension_scheduled' as const, subject: owedSince };
    for (const notice of await this.notices.unreached(session, about))
      await this.send(session, notice, address);
  }

  /** A warning that stands no longer is kept back, one that stands again is sent. */
  warningStands(session: Session, customerId: string, anchor: string | null): Promise<void> {
    return this.deliveries.onlyAbout(session, customerId, 'suspension_scheduled', anchor);
  }

  private send(session: Session, { id: noticeId, customerId }: StoredNotice, address: string): Promise<void> {
    return this.deliveries.add(session, {
      id: this.ids.next(),
      noticeId,
      customerId,
      channel: 'email',
      address,
    });
  }
}
