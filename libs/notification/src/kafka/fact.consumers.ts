import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import {
  type BillingEvent,
  type DunningEvent,
  type LedgerEvent,
  type NotifierEvent,
  TOPICS,
  decodeEvent,
} from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import type { Slice, Subscription } from '@tallygate/platform';
import { BalanceNotices } from '../service/balances.service';
import { PaymentNotices } from '../service/payments.service';
import { AlertStore, WatchStore } from '../service/ports';
import { type Session, Sessions } from '../service/session';
import { SubscriptionNotices } from '../service/subscriptions.service';

type Fact = BillingEvent | LedgerEvent | DunningEvent | NotifierEvent;

/** Everything the notifier hears. One transaction per fact: a repeat finds its version or its notice known. */
@Injectable()
export class FactConsumers {
  constructor(
    private readonly sessions: Sessions,
    private readonly directory: Directory,
    private readonly watches: WatchStore,
    private readonly balances: BalanceNotices,
    private readonly payments: PaymentNotices,
    private readonly subscriptions: SubscriptionNotices,
    private readonly alerts: AlertStore,
  ) {}

  /** A topic each, so that one that waits holds up no other. */
  subscriptionsToFacts(): readonly Subscription[] {
    return [
      this.listen<BillingEvent>(TOPICS.billingEvents, (session, event) => this.billing(session, event)),
      this.listen<LedgerEvent>(TOPICS.ledgerEvents, (session, event) => this.ledger(session, event)),
      this.listen<DunningEvent>(TOPICS.dunningEvents, (session, event) => this.dunning(session, event)),
      this.listen<NotifierEvent>(TOPICS.notifierEvents, (session, event) => this.alert(session, event)),
    ];
  }

  private listen<E extends Fact>(
    topic: string,
    take: (session: Session, event: E) => Promise<void>,
  ): Subscription {
    const handle = async ({ messages }: Slice): Promise<void> => {
      for (const { value } of messages) {
        const event = decodeEvent<E>(value);
        const customerId = customerOf(event);
        await (customerId === null
          ? this.sessions.aboutAll(event.tenantId, (session) => take(session, event))
          : this.sessions.about(event.tenantId, customerId, (session) => take(session, event)));
      }
    };
    return { topics: [topic], group: `notifier.${topic}`, handle };
  }

  private async billing(session: Session, event: BillingEvent): Promise<void> {
    if (event.type === 'catalog.applied') return this.catalog(session, event);
    const news = await this.directory.apply(session.tx, event);
    switch (event.type) {
      case 'customer.changed':
        return news ? this.customer(session, event.data) : undefined;
      case 'customer.flags_changed':
        return this.subscriptions.flags(session, event.data);
      case 'invoice.changed':
        return this.payments.invoice(session, event.data.invoice, event.data.cause);
      case 'subscription.changed':
        return this.subscriptions.subscription(session, event.data.subscription);
      case 'payment_method.changed':
        return this.subscriptions.method(session, event.data);
      case 'top_up.paid':
        return this.subscriptions.topUpPaid(session, event.data);
      case 'top_up.failed':
        return this.subscriptions.topUpFailed(session, event.data, event.id);
      default:
        return undefined;
    }
  }

  /** Prices change often, rules seldom: only rules have everything looked at again. */
  private async catalog(
    session: Session,
    event: Extract<BillingEvent, { type: 'catalog.applied' }>,
  ): Promise<void> {
    const before = await this.directory.catalog(session.tx, session.tenantId);
    const news = await this.directory.apply(session.tx, event);
    const rules = event.data.catalog.notification_rules;
    if (news && !isDeepStrictEqual(before?.catalog.notification_rules, rules))
      await this.watches.lookAgain(session, null);
  }

  private async customer(
    session: Session,
    { customer }: Extract<BillingEvent, { type: 'customer.changed' }>['data'],
  ): Promise<void> {
    await this.watches.lookAgain(session, customer.id);
    await this.payments.customer(session, customer);
  }

  private async ledger(session: Session, event: LedgerEvent): Promise<void> {
    switch (event.type) {
      case 'balance.changed':
        return this.balances.balance(session, event.data);
      case 'quota.changed':
        return this.balances.quota(session, event.data);
      case 'lot.changed':
        return this.balances.lot(session, event.data);
      default:
        return this.alert(session, event);
    }
  }

  private async dunning(session: Session, event: DunningEvent): Promise<void> {
    switch (event.type) {
      case 'payment.failed':
        return this.payments.failed(session, event.data);
      case 'payment.action_required':
        return this.payments.actionRequired(session, event.data);
      case 'payment.method_missing':
        return this.payments.methodMissing(session, event.data);
      case 'suspension.scheduled':
        return this.payments.suspensionScheduled(session, event.data, event.id);
      case 'collection.changed':
        return this.payments.collection(session, event.data);
      case 'dunning.finished':
        return this.payments.finished(session, event.data);
      default:
        return this.alert(session, event);
    }
  }

  private async alert(session: Session, event: Fact): Promise<void> {
    if (event.type === 'alert.raised') await this.alerts.add(session, event.id, event.data);
  }
}

/** Whose notices a fact may touch: an invoice's payer, who hears of it; null for facts about the tenant. */
function customerOf(event: Fact): string | null {
  switch (event.type) {
    case 'tenant.changed':
    case 'catalog.applied':
    case 'alert.raised':
      return null;
    case 'customer.changed':
      return event.data.customer.id;
    case 'subscription.changed':
      return event.data.subscription.customerId;
    case 'invoice.changed':
      return event.data.invoice.payerId;
    default:
      return event.data.customerId;
  }
}
