import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { counterName, emptyCounter, includedOf, quotaPeriod, termsAt } from '../domain';
import type { Counter, RatingBook, SubscriptionTerms } from '../domain';
import { CounterStore } from './counter-store';
import { quotaChanged } from './ledger-facts';
import { RatingFacts } from './rating-facts';

/** The quotas of the periods in force. */
@Injectable()
export class Quotas {
  constructor(
    private readonly rating: RatingFacts,
    private readonly counters: CounterStore,
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
    await this.outbox.add(tx, changed.map((counter) => quotaChanged(this.ids.next(), counter, now)));
  }
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
    const period = quotaPeriod(terms, plan.reset, now);
    const name = { ...customer, feature: key, kind: 'quota' as const, scope: '', periodStart: period.start };
    return [emptyCounter(name, period, plan, includedOf(plan))];
  });
}
