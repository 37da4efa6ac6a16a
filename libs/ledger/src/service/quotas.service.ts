import { Injectable } from '@nestjs/common';
import { Ids, maxNano } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { counterName, emptyCounter, includedOf, quotaPeriod, termsAt } from '../domain';
import type { Counter, Gauge, RatingBook, SubscriptionTerms } from '../domain';
import { CounterStore } from './counter-store';
import { quotaChanged } from './ledger-facts';
import { RatingFacts } from './rating-facts';
import { SubscriptionStore } from './subscription-store';

export interface ResetRequest {
  readonly tenantId: string;
  readonly customerId: string;
  readonly feature: string;
  /** Null: now. */
  readonly at: Instant | null;
  readonly keepOverage: boolean;
  readonly keepAnchor: boolean;
}

export type ResetOutcome =
  | { readonly status: 'reset'; readonly counter: Counter }
  | { readonly status: 'no_quota' }
  | { readonly status: 'in_future' }
  | { readonly status: 'before_period' }
  | { readonly status: 'reset_before' };

/** The quotas of the periods in force. */
@Injectable()
export class Quotas {
  constructor(
    private readonly rating: RatingFacts,
    private readonly counters: CounterStore,
    private readonly subscriptions: SubscriptionStore,
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  /**
   * Starts and tells the counters of the plan's quotas that are not there yet, and moves what is included where the plan
   * changed: what was counted in the period stays.
   */
  async open(tx: Tx, tenantId: string, customerId: string, now: Instant): Promise<void> {
    const book = await this.rating.book(tx, tenantId);
    const terms = termsAt(await this.rating.history(tx, tenantId, customerId), now);
    if (book === null || terms === null) return;
    const wanted = quotasOf(book, terms, { tenantId, customerId }, now);
    const stored = new Map((await this.counters.lock(tx, wanted)).map((one) => [counterName(one), one]));
    const changed = wanted.filter((counter) => takeOver(stored.get(counterName(counter)), counter));
    await this.counters.save(tx, changed, () => true);
    await this.outbox.add(
      tx,
      changed.map((counter) => quotaChanged(this.ids.next(), counter, now)),
    );
  }

  /**
   * Begins a quota's period anew at an instant of the present one: what was counted from there on moves to the new
   * period, the overage of the old one too if asked for.
   */
  async reset(tx: Tx, request: ResetRequest, now: Instant): Promise<ResetOutcome> {
    const { tenantId, customerId, feature, keepAnchor } = request;
    const at = request.at ?? now;
    if (at > now) return { status: 'in_future' };
    const before = await this.present(tx, request, now);
    if (before === null) return { status: 'no_quota' };
    const { counter: old, terms } = before;
    if (terms.resets.some((one) => one.feature === feature && one.at === at))
      return { status: 'reset_before' };
    if (at < old.periodStart) return { status: 'before_period' };
    const moved = await this.counters.countedSince(tx, old, at, old.periodEnd);
    await this.subscriptions.addReset(tx, tenantId, customerId, { feature, at, keepAnchor });
    const after = await this.present(tx, request, now);
    if (after === null) return { status: 'no_quota' };
    const { counter } = after;
    const counters = counter.periodStart === old.periodStart ? [counter] : [old, counter];
    if (after.gauge !== null) await this.recount(tx, old, counter, after.gauge);
    else {
      const overage = request.keepOverage ? maxNano(old.used - moved - old.included, 0n) : 0n;
      counter.used = moved + overage;
      old.used -= moved;
    }
    await this.counters.save(tx, counters, () => true);
    await this.outbox.add(tx, [quotaChanged(this.ids.next(), counter, now)]);
    return { status: 'reset', counter };
  }

  /** A value that does not add up is counted anew on both sides of the reset; it has no overage to keep. */
  private async recount(tx: Tx, old: Counter, present: Counter, gauge: Gauge): Promise<void> {
    if (present.periodStart !== old.periodStart)
      await this.counters.recount(tx, old, { gauge, until: present.periodStart });
    await this.counters.recount(tx, present, { gauge, until: present.periodEnd });
  }

  /** The counter of the present period, locked where it is stored. */
  private async present(
    tx: Tx,
    key: { readonly tenantId: string; readonly customerId: string; readonly feature: string },
    now: Instant,
  ): Promise<{ counter: Counter; terms: SubscriptionTerms; gauge: Gauge | null } | null> {
    const book = await this.rating.book(tx, key.tenantId);
    const terms = termsAt(await this.rating.history(tx, key.tenantId, key.customerId), now);
    const counter = book === null || terms === null ? null : quotaAt(book, terms, key, now);
    if (book === null || counter === null || terms === null) return null;
    const [stored] = await this.counters.lock(tx, [counter]);
    const gauge = book.gauges.get(book.features.get(key.feature)?.meter ?? '') ?? null;
    return { counter: stored ?? counter, terms, gauge };
  }
}

/** @returns the counter of the period in force at an instant; null when the feature has no quota in the terms */
function quotaAt(
  book: RatingBook,
  terms: SubscriptionTerms,
  key: { readonly tenantId: string; readonly customerId: string; readonly feature: string },
  at: Instant,
): Counter | null {
  return quotasOf(book, terms, key, at).find((counter) => counter.feature === key.feature) ?? null;
}

/** Takes over what a stored counter has counted. @returns whether there is anything to write */
function takeOver(stored: Counter | undefined, wanted: Counter): boolean {
  if (stored === undefined) return true;
  wanted.used = stored.used;
  wanted.revision = stored.revision;
  return stored.included !== wanted.included || stored.limit !== wanted.limit;
}

function quotasOf(
  book: RatingBook,
  terms: SubscriptionTerms,
  customer: { readonly tenantId: string; readonly customerId: string },
  now: Instant,
): Counter[] {
  return Object.entries(terms.features).flatMap(([key, plan]) => {
    const kind = book.features.get(key)?.kind;
    if (kind !== 'quota' && kind !== 'quota_then_prepaid') return [];
    const period = quotaPeriod(terms, key, plan.reset, now);
    const { tenantId, customerId } = customer;
    const name = {
      tenantId,
      customerId,
      feature: key,
      kind: 'quota' as const,
      scope: '',
      periodStart: period.start,
    };
    return [emptyCounter(name, period, plan, includedOf(plan))];
  });
}
