import { Injectable } from '@nestjs/common';
import type { BillingEvent, SubscriptionFacts } from '@tallygate/contracts';
import { invariant, parseAmount, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { termsAt } from '../domain';
import type { Counter } from '../domain';
import { AnnouncedPrices } from './announced-prices.service';
import { Grants } from './grants.service';
import { MeterHistory } from './meter-history';
import { Quotas } from './quotas.service';
import { RatingFacts } from './rating-facts';
import { PlanGrants } from './plan-grants.service';
import { SpendCaps } from './spend-caps.service';
import type { CustomerRef } from './spend-caps.service';
import { SubscriptionStore } from './subscription-store';

/** What the ledger does when billing says something; the directory has taken the fact in already, in the same transaction. */
@Injectable()
export class BillingFactsService {
  constructor(
    private readonly subscriptions: SubscriptionStore,
    private readonly rating: RatingFacts,
    private readonly quotas: Quotas,
    private readonly caps: SpendCaps,
    private readonly grants: Grants,
    private readonly planGrants: PlanGrants,
    private readonly prices: AnnouncedPrices,
    private readonly meters: MeterHistory,
  ) {}

  /**
   * @param now the tenant's
   * @returns counters of caps that began beside slices which did not know them: SpendCaps.makeUp, after the transaction
   */
  async apply(tx: Tx, event: BillingEvent, now: Instant): Promise<readonly Counter[]> {
    const { tenantId } = event;
    if (event.type !== 'customer.changed') {
      await this.take(tx, event, now);
      return [];
    }
    const { id, timezone } = event.data.customer;
    await this.subscriptions.moveZone(tx, tenantId, id, timezone);
    const begun = await this.budgeted(tx, { tenantId, customerId: id }, now);
    await this.subscriptions.refreshWallets(tx, tenantId, id);
    return begun;
  }

  private async take(tx: Tx, event: BillingEvent, now: Instant): Promise<void> {
    const { tenantId } = event;
    switch (event.type) {
      case 'tenant.changed':
        return this.subscriptions.refreshWallets(tx, tenantId, null);
      case 'catalog.applied':
        await this.meters.record(tx, tenantId, event.data.catalog.meters, instantOf(event.occurredAt));
        return this.prices.settle(tx, tenantId, event.data.revision, now);
      case 'subscription.changed':
        return this.subscribed(tx, tenantId, event.data.subscription, instantOf(event.occurredAt), now);
      case 'top_up.paid':
        return this.toppedUp(tx, tenantId, event.data, now);
      case 'top_up.reversed': {
        const { topUpId, version } = event.data;
        const reversed = parseAmount(event.data.reversed);
        invariant(reversed.ok, 'A reversed top-up says how much');
        const reversal = { tenantId, source: `top_up:${topUpId}`, reversed: reversed.value, version };
        return this.grants.reverse(tx, reversal, now);
      }
      default:
        return;
    }
  }

  private async budgeted(tx: Tx, customer: CustomerRef, now: Instant): Promise<readonly Counter[]> {
    const { tenantId, customerId } = customer;
    const before = termsAt(await this.rating.history(tx, tenantId, customerId), now);
    if (!(await this.subscriptions.takeBudgets(tx, tenantId, customerId))) return [];
    return this.caps.open(tx, customer, now, before);
  }

  private async subscribed(
    tx: Tx,
    tenantId: string,
    facts: SubscriptionFacts,
    effectiveAt: Instant,
    now: Instant,
  ): Promise<void> {
    const { customerId } = facts;
    const zone = await this.rating.zoneOf(tx, tenantId, customerId);
    const before = termsAt(await this.rating.history(tx, tenantId, customerId), now);
    if (!(await this.subscriptions.append(tx, tenantId, facts, effectiveAt, zone))) return;
    await this.subscriptions.refreshWallets(tx, tenantId, customerId);
    await this.quotas.open(tx, tenantId, customerId, now);
    await this.caps.open(tx, { tenantId, customerId }, now, before);
    await this.planGrants.issue(tx, tenantId, facts, zone, now);
  }

  /** Once per top-up, however often it is told. */
  private async toppedUp(
    tx: Tx,
    tenantId: string,
    paid: { topUpId: string; key: string; customerId: string; unit: string; amount: string },
    now: Instant,
  ): Promise<void> {
    const amount = parseAmount(paid.amount);
    invariant(amount.ok && amount.value > 0n, 'A paid top-up has an amount');
    const request = {
      ...paid,
      tenantId,
      source: `top_up:${paid.topUpId}`,
      amount: amount.value,
      kind: 'paid' as const,
      priority: 100,
      effectiveAt: null,
      expiresAt: null,
      features: null,
      recurrence: null,
      rollover: null,
    };
    await this.grants.grantOnce(tx, request, now);
  }
}

function instantOf(text: string): Instant {
  const parsed = parseInstant(text);
  invariant(parsed.ok, 'An event of ours says when it took effect');
  return parsed.value;
}
