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
import type { IncomingMessage, Subscription } from '@tallygate/platform';
import { BalanceNotices } from '../service/balances.service';
import type { LedgerFact } from '../service/ledger-chunk';
import { PaymentNotices } from '../service/payments.service';
import { AlertStore, WatchStore } from '../service/ports';
import { type Session, Sessions } from '../service/session';
import { SubscriptionNotices } from '../service/subscriptions.service';

type Fact = BillingEvent | LedgerEvent | DunningEvent | NotifierEvent;
type Messages = readonly IncomingMessage[];

/** So many of the ledger's facts are taken together: their customers are kept from everybody else for so long. */
const CHUNK = 100;

/** Everything the notifier hears. A repeat finds its version or its notice known. */
@Injectable()
export class FactConsumers {
  constructor(
    private readonly sessions: Sessions,
    private readonly directory: Directory,
    private readonly watches: WatchStore,
    private readonly balances: BalanceNotices,
    private readonly payments: PaymentNotices,
    private readonly subscriptions: SubscriptionNotices,
    private readonly alertStore: AlertStore,
  ) {}

  /** A topic each, so that one that waits holds up no other. */
  subscriptionsToFacts(): readonly Subscription[] {
    return [
      listen(TOPICS.billingEvents, (messages) =>
        this.each<BillingEvent>(messages, (session, event) => this.billing(session, event)),
      ),
      listen(TOPICS.ledgerEvents, (messages) => this.ledger(messages)),
      listen(TOPICS.dunningEvents, (messages) =>
        this.each<DunningEvent>(messages, (session, event) => this.dunning(session, event)),
      ),
      listen(TOPICS.notifierEvents, (messages) => this.alerts(messages)),
    ];
  }

  /** One transaction per fact. */
  private async each<E extends Fact>(
    messages: Messages,
    take: (session: Session, event: E) => Promise<void>,
  ): Promise<void> {
    for (const { value } of messages) {
      const event = decodeEvent<E>(value);
      const customerId = customerOf(event);
      await (customerId === null
        ? this.sessions.aboutAll(event.tenantId, (session) => take(session, event))
        : this.sessions.about(event.tenantId, [customerId], (session) => take(session, event)));
    }
  }

  /** Usage brings many of the ledger's facts. */
  private async ledger(messages: Messages): Promise<void> {
    const heard = ofTypes(messages, ['balance.changed', 'quota.changed', 'lot.changed', 'alert.raised']);
    for (let at = 0; at < heard.length; at += CHUNK) await this.chunk(heard.slice(at, at + CHUNK));
  }

  /** When they fail together they are taken one by one: a fact with a fault holds up those behind it and no others. */
  private async chunk(messages: Messages): Promise<void> {
    try {
      await this.together(messages);
    } catch (error) {
      if (messages.length === 1) throw error;
      for (const message of messages) await this.together([message]);
    }
  }

  /** One transaction per tenant. */
  private async together(messages: Messages): Promise<void> {
    await this.alerts(messages);
    for (const [tenantId, facts] of factsByTenant(messages)) {
      const customerIds = facts.map((fact) => fact.facts.customerId);
      await this.sessions.about(tenantId, customerIds, (session) => this.balances.hear(session, facts));
    }
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

  private alerts(messages: Messages): Promise<void> {
    const heard = ofTypes(messages, ['alert.raised']);
    return this.each<NotifierEvent>(heard, (session, event) => this.alert(session, event));
  }

  private async alert(session: Session, event: Fact): Promise<void> {
    if (event.type === 'alert.raised') await this.alertStore.add(session, event.id, event.data);
  }
}

function listen(topic: string, take: (messages: Messages) => Promise<void>): Subscription {
  return { topics: [topic], group: `notifier.${topic}`, handle: ({ messages }) => take(messages) };
}

/** The headers name the type: others are not parsed. */
function ofTypes(messages: Messages, types: readonly Fact['type'][]): Messages {
  const heard = new Set<string | undefined>(types);
  return messages.filter(({ headers }) => heard.has(headers['type']));
}

function factsByTenant(messages: Messages): ReadonlyMap<string, readonly LedgerFact[]> {
  const byTenant = new Map<string, LedgerFact[]>();
  for (const { value } of messages) {
    const event = decodeEvent<LedgerEvent>(value);
    const fact = factOf(event);
    if (fact === null) continue;
    const facts = byTenant.get(event.tenantId) ?? [];
    byTenant.set(event.tenantId, facts);
    facts.push(fact);
  }
  return byTenant;
}

function factOf(event: LedgerEvent): LedgerFact | null {
  switch (event.type) {
    case 'balance.changed':
      return { kind: 'balance', facts: event.data };
    case 'quota.changed':
      return { kind: 'usage', facts: event.data };
    case 'lot.changed':
      return { kind: 'lot', facts: event.data };
    default:
      return null;
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
