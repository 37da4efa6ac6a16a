import { Injectable } from '@nestjs/common';
import type { BillingEvent, SubscriptionFacts } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { CARD, cardReminders, leadTimes, renewalReminders, trialReminders } from '../domain';
import { Notifying } from './notifying.service';
import { WatchStore } from './ports';
import type { Session } from './session';

type Data<T extends BillingEvent['type']> = Extract<BillingEvent, { type: T }>['data'];
export type MethodFacts = Data<'payment_method.changed'>;
type FlagFacts = Data<'customer.flags_changed'>;

/** Billing's facts: trials and renewals ahead, cards that end, approvals, top-ups. */
@Injectable()
export class SubscriptionNotices {
  constructor(
    private readonly notifying: Notifying,
    private readonly watches: WatchStore,
    private readonly directory: Directory,
  ) {}

  async subscription(session: Session, subscription: SubscriptionFacts): Promise<void> {
    const { customerId, id: key, version } = subscription;
    const watch = { kind: 'subscription', customerId, key } as const;
    const taken = await this.watches.take(session, watch, version, subscription);
    if (!taken) return;
    await this.lookAtSubscription(session, subscription);
    await this.approval(session, subscription, taken.before as SubscriptionFacts | null);
  }

  async lookAtSubscription(session: Session, subscription: SubscriptionFacts): Promise<void> {
    const { customerId, id: source } = subscription;
    const catalog = await this.directory.catalog(session.tx, session.tenantId);
    const customer = await this.directory.customerById(session.tx, session.tenantId, customerId);
    if (catalog === null || customer === null) return;
    const trial = leadTimes(catalog.catalog, 'trial');
    const renewal = leadTimes(catalog.catalog, 'renewal');
    const { timezone } = customer;
    const ends = trialReminders(subscription, trial, timezone, session.now);
    const renewals = renewalReminders(subscription, renewal, timezone, session.now);
    await this.notifying.plan(session, [
      { customerId, kind: 'trial_ending', source, reminders: ends },
      { customerId, kind: 'renewal_upcoming', source, reminders: renewals },
    ]);
  }

  async method(session: Session, facts: MethodFacts): Promise<void> {
    const watch = { kind: 'method', customerId: facts.customerId, key: '' } as const;
    if (await this.watches.take(session, watch, facts.version, facts))
      await this.lookAtMethod(session, facts);
  }

  /** One card at a time is charged: a new one takes the old one's reminders away. */
  async lookAtMethod(session: Session, { customerId, method }: MethodFacts): Promise<void> {
    const customer = await this.directory.customerById(session.tx, session.tenantId, customerId);
    if (customer === null) return;
    const reminders = cardReminders(method, customer, session.now);
    await this.notifying.plan(session, [{ customerId, kind: 'card_expiring', source: CARD, reminders }]);
  }

  topUpPaid(session: Session, data: Data<'top_up.paid'>): Promise<void> {
    const { customerId, key: subject, topUpId: stage, unit, amount } = data;
    const details = { unit, amount };
    return this.notifying.notify(session, {
      kind: 'top_up_succeeded',
      customerId,
      subject,
      stage,
      threshold: null,
      details,
    });
  }

  /** @param eventId of the failure: a top-up that is tried again may fail again */
  topUpFailed(session: Session, data: Data<'top_up.failed'>, eventId: string): Promise<void> {
    const { customerId, key: subject, unit, amount } = data;
    const details = { unit, amount };
    return this.notifying.notify(session, {
      kind: 'top_up_failed',
      customerId,
      subject,
      stage: eventId,
      threshold: null,
      details,
    });
  }

  /** An administrator's word on single features. */
  async flags(session: Session, facts: FlagFacts): Promise<void> {
    const { customerId, version, approvals } = facts;
    const taken = await this.watches.take(session, { kind: 'flags', customerId, key: '' }, version, facts);
    if (!taken) return;
    const before = (taken.before as FlagFacts | null)?.approvals ?? {};
    for (const [feature, decision] of Object.entries(approvals)) {
      if (before[feature] !== decision)
        await this.decided(session, customerId, feature, String(version), decision);
    }
  }

  private async approval(
    session: Session,
    { customerId, plan, id, status }: SubscriptionFacts,
    before: SubscriptionFacts | null,
  ): Promise<void> {
    const waited = before?.status === 'pending_approval';
    if (status === 'pending_approval') {
      if (waited) return;
      const notice = { kind: 'approval_requested', customerId, subject: plan, stage: id } as const;
      return this.notifying.notify(session, { ...notice, threshold: null, details: {} });
    }
    if (waited)
      await this.decided(session, customerId, plan, id, status === 'canceled' ? 'rejected' : 'approved');
  }

  private decided(
    session: Session,
    customerId: string,
    subject: string,
    stage: string,
    decision: 'approved' | 'rejected',
  ): Promise<void> {
    const notice = { kind: 'approval_decided', customerId, subject, stage, threshold: null } as const;
    return this.notifying.notify(session, { ...notice, details: { decision } });
  }
}
