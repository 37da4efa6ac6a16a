import { Injectable } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { Ids } from '@tallygate/kernel';
import type { Notice } from '../domain';
import { NotifierFacts } from './notifier-facts';
import { DeliveryStore, NoticeStore, ReminderStore } from './ports';
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
    await this.deliveries.add(session, {
      id: this.ids.next(),
      noticeId: stored.id,
      channel: 'email',
      address,
    });
  }

  /** Says a reminder whose time has come, unless it was forgotten meanwhile. */
  async remind(session: Session, reminderId: string): Promise<void> {
    const reminder = await this.reminders.take(session, reminderId);
    if (reminder !== null) await this.notify(session, reminder);
  }
}
