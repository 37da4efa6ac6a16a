import { Injectable } from '@nestjs/common';
import { encodeEvent, TOPICS } from '@tallygate/contracts';
import type { BillingEvent, Catalog, TenantFacts } from '@tallygate/contracts';
import { formatAmount, formatInstant, Ids } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import { customerFacts, invoiceFacts, subscriptionFacts } from '../domain';
import type { Customer, Flags, InvoiceChange, StoredMethod, Subscription, TopUp } from '../domain';
import type { Session } from './tenant-session';

type Said = {
  [E in BillingEvent as E['type']]: { readonly type: E['type']; readonly data: E['data'] };
}[BillingEvent['type']];

/** Says what changed, in the transaction that changes it. The key is the tenant: one order for all it says. */
@Injectable()
export class BillingFacts {
  constructor(
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  tenant(session: Session, tenant: TenantFacts): Promise<void> {
    return this.say(session, { type: 'tenant.changed', data: { tenant } });
  }

  catalog(session: Session, revision: number, catalog: Catalog): Promise<void> {
    return this.say(session, { type: 'catalog.applied', data: { revision, catalog } });
  }

  customer(session: Session, customer: Customer): Promise<void> {
    return this.say(session, { type: 'customer.changed', data: { customer: customerFacts(customer) } });
  }

  subscription(session: Session, subscription: Subscription): Promise<void> {
    const data = { subscription: subscriptionFacts(subscription) };
    return this.say(session, { type: 'subscription.changed', data });
  }

  invoice(session: Session, { invoice, cause }: InvoiceChange): Promise<void> {
    return this.say(session, { type: 'invoice.changed', data: { invoice: invoiceFacts(invoice), cause } });
  }

  method(session: Session, customerId: string, stored: StoredMethod): Promise<void> {
    return this.say(session, { type: 'payment_method.changed', data: { customerId, ...stored } });
  }

  flags(session: Session, customerId: string, { override, ...flags }: Flags): Promise<void> {
    const until = override?.until ?? null;
    const shown =
      override === null ? null : { ...override, until: until === null ? null : formatInstant(until) };
    return this.say(session, {
      type: 'customer.flags_changed',
      data: { customerId, override: shown, ...flags },
    });
  }

  topUpPaid(session: Session, topUp: TopUp): Promise<void> {
    const paidAt = formatInstant(topUp.paidAt ?? session.now);
    return this.say(session, { type: 'top_up.paid', data: { ...whichTopUp(topUp), paidAt } });
  }

  topUpReversed(session: Session, topUp: TopUp, reversed: Nano): Promise<void> {
    const { amount: _, ...which } = whichTopUp(topUp);
    const data = { ...which, reversed: formatAmount(reversed), version: topUp.reversals };
    return this.say(session, { type: 'top_up.reversed', data });
  }

  topUpFailed(session: Session, topUp: TopUp): Promise<void> {
    const declineCode = topUp.declineCode ?? 'generic_decline';
    return this.say(session, { type: 'top_up.failed', data: { ...whichTopUp(topUp), declineCode } });
  }

  private async say({ tx, tenantId, now }: Session, said: Said): Promise<void> {
    const event = { id: this.ids.next(), tenantId, occurredAt: formatInstant(now), ...said };
    await this.outbox.add(tx, [
      { tenantId, topic: TOPICS.billingEvents, key: tenantId, ...encodeEvent(event) },
    ]);
  }
}

function whichTopUp({ id, key, customerId, unit, amount }: TopUp) {
  return { topUpId: id, key, customerId, unit, amount: formatAmount(amount) };
}
