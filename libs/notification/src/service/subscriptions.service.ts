import { Injectable } from '@nestjs/common';
import type { BillingEvent, NoticeKind, PaymentMethodFacts, SubscriptionFacts } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { type Reminder, cardReminders, leadTimes, renewalReminders, trialReminders } from '../domain';
import { Notifying } from './notifying.service';
import { ReminderStore, WatchStore } from './ports';
import type { Session } from './session';

type Data<T extends BillingEvent['type']> = Extract<BillingEvent, { type: T }>['data'];

/** Billing's facts: trials and renewals ahead, cards that end, approvals, top-ups. */
@Injectable()
export class SubscriptionNotices {
  constructor(
    private readonly notifying: Notifying,
    private readonly reminders: ReminderStore,
    private readonly watches: WatchStore,
    private readonly directory: Directory,
  ) {}

  /** @param before the subscription as last known; null when it is new */
  async subscription(
    session: Session,
    subscription: SubscriptionFacts,
    before: SubscriptionFacts | null,
  ): Promise<void> {
    if (before !== null && before.version > subscription.version) return;
    const catalog = await this.directory.catalog(session.tx, session.tenantId);
    const customer = await this.directory.customerById(session.tx, session.tenantId, subscription.customerId);
    if (catalog === null || customer === null) return;
    const { timezone } = customer;
    await this.plan(
      session,
      subscription,
      'trial_ending',
      trialReminders(subscription, leadTimes(catalog.catalog, 'trial'), timezone, session.now),
    );
    await this.plan(
      session,
      subscription,
      'renewal_upcoming',
      renewalReminders(subscription, leadTimes(catalog.catalog, 'renewal'), timezone, session.now),
    );
    await this.approval(session, subscription, before);
  }

  /** One card at a time is charged: a new one takes the old one's reminders away. */
  async method(
    session: Session,
    customerId: string,
    method: PaymentMethodFacts | null,
    version: number,
  ): Promise<void> {
    const watch = { kind: 'method', key: '' } as const;
    if (!(await this.watches.isNews(session, customerId, watch, version))) return;
    const before = await this.watches.exchangeState(session, customerId, watch, method?.label ?? null);
    const customer = await this.directory.customerById(session.tx, session.tenantId, customerId);
    if (customer === null) return;
    for (const subject of new Set([before, method?.label ?? null])) {
      if (subject === null) continue;
      const reminders = subject === method?.label ? cardReminders(method, customer, session.now) : [];
      await this.reminders.replace(session, { customerId, kind: 'card_expiring', subject }, reminders);
    }
  }

  async topUpPaid(session: Session, data: Data<'top_up.paid'>): Promise<void> {
    const { customerId, key: subject, topUpId: stage, unit, amount } = data;
    await this.notifying.notify(session, {
      kind: 'top_up_succeeded',
      customerId,
      subject,
      stage,
      threshold: null,
      details: { unit, amount },
    });
  }

  async topUpFailed(session: Session, data: Data<'top_up.failed'>, eventId: string): Promise<void> {
    const { customerId, key: subject, unit, amount } = data;
    await this.notifying.notify(session, {
      kind: 'top_up_failed',
      customerId,
      subject,
      stage: eventId,
      threshold: null,
      details: { unit, amount },
    });
  }

  private plan(
    session: Session,
    { customerId, plan: subject }: SubscriptionFacts,
    kind: NoticeKind,
    reminders: readonly Reminder[],
  ): Promise<void> {
    return this.reminders.replace(session, { customerId, kind, subject }, reminders);
  }

  private async approval(
    session: Session,
    subscription: SubscriptionFacts,
    before: SubscriptionFacts | null,
  ): Promise<void> {
    const { customerId, plan: subject, id: stage, status } = subscription;
    const pending = status === 'pending_approval';
    if (pending === (before?.id === subscription.id && before.status === 'pending_approval')) return;
    const decision = status === 'canceled' ? 'rejected' : 'approved';
    const kind = pending ? 'approval_requested' : 'approval_decided';
    await this.notifying.notify(session, {
      kind,
      customerId,
      subject,
      stage,
      threshold: null,
      details: pending ? {} : { decision },
    });
  }
}
