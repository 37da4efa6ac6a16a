import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { Database, Outbox } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { capsOf, counterName, perOfSpend, spendCountersOf, succeed, termsAt, unitOfSpend } from '../domain';
import type { Counter, SubscriptionTerms, WalletKey } from '../domain';
import { AnnouncedPriceStore } from './announced-price-store';
import { CounterStore } from './counter-store';
import { counterChanged } from './ledger-facts';
import { RatingFacts } from './rating-facts';

export type CustomerRef = Pick<WalletKey, 'tenantId' | 'customerId'>;

/**
 * The spend caps in force: the plan's and the customer's budgets. Gates lift a cap by the clock when its period ends; what
 * they must be told is the cap itself, before anything was spent, and again when another one takes its place.
 */
@Injectable()
export class SpendCaps {
  constructor(
    private readonly database: Database,
    private readonly prices: AnnouncedPriceStore,
    private readonly rating: RatingFacts,
    private readonly counters: CounterStore,
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  /**
   * A cap that is new starts from what the feature debited in its period before: while it was not in force nothing was
   * counted towards it.
   * @param before the terms whose caps were counted towards until now
   * @returns the counters of the caps that are new
   */
  async open(
    tx: Tx,
    customer: CustomerRef,
    now: Instant,
    before: SubscriptionTerms | null,
  ): Promise<readonly Counter[]> {
    const wanted = await this.inForce(tx, customer, now);
    if (wanted.length === 0) return [];
    const stored = new Map((await this.counters.lock(tx, wanted)).map((one) => [counterName(one), one]));
    const changed: Counter[] = [];
    for (const counter of wanted) {
      const known = wasInForce(before, counter) ? stored.get(counterName(counter)) : undefined;
      const used = known?.used ?? (await this.counters.debitedIn(tx, counter));
      if (await this.takeOver(tx, stored.get(counterName(counter)), counter, used)) changed.push(counter);
    }
    await this.counters.save(tx, changed, () => true);
    await this.outbox.add(
      tx,
      changed.map((counter) => counterChanged(this.ids.next(), counter, now)),
    );
    return wanted.filter((counter) => !wasInForce(before, counter));
  }

  /**
   * What slices that did not know the new caps debited while these began. It is counted once those have ended, with no lock
   * on anything: whoever debits then moves the counter in the same transaction, so what it lacks stays the same.
   * @param begun after the transaction that began them
   */
  async makeUp(tenantId: string, begun: readonly Counter[], now: Instant): Promise<void> {
    if (begun.length === 0) return;
    await this.database.asWorker((tx) => this.prices.alone(tx, tenantId));
    await this.database.asWorker(async (tx) => {
      for (const counter of begun) {
        const missed = await this.counters.missedBy(tx, counter);
        if (missed > 0n) await this.spend(tx, await this.counters.lock(tx, [counter]), missed, now);
      }
    });
  }

  /** The counters that a requested debit of the feature in this unit counts towards now, locked. */
  async lock(
    tx: Tx,
    { tenantId, customerId, unit, feature }: WalletKey & { readonly feature: string | null },
    now: Instant,
  ): Promise<readonly Counter[]> {
    if (feature === null) return [];
    const wanted = (await this.inForce(tx, { tenantId, customerId }, now)).filter(
      (counter) => counter.feature === feature && unitOfSpend(counter) === unit,
    );
    const stored = new Map((await this.counters.lock(tx, wanted)).map((one) => [counterName(one), one]));
    return wanted.map((counter) => stored.get(counterName(counter)) ?? counter);
  }

  async spend(tx: Tx, counters: readonly Counter[], amount: Nano, now: Instant): Promise<void> {
    for (const counter of counters) counter.used += amount;
    await this.counters.save(tx, counters, () => true);
    await this.outbox.add(
      tx,
      counters.map((counter) => counterChanged(this.ids.next(), counter, now)),
    );
  }

  private async inForce(tx: Tx, customer: CustomerRef, now: Instant): Promise<readonly Counter[]> {
    const { tenantId, customerId } = customer;
    const book = await this.rating.book(tx, tenantId);
    const terms = termsAt(await this.rating.history(tx, tenantId, customerId), now);
    return book === null || terms === null ? [] : spendCountersOf(book, terms, customer, now);
  }

  /** @returns whether there is anything to write */
  private async takeOver(tx: Tx, stored: Counter | undefined, wanted: Counter, used: Nano): Promise<boolean> {
    const latest = await this.counters.latest(tx, wanted);
    wanted.used = used;
    wanted.revision = stored?.revision ?? 0;
    const isLatest = latest !== null && counterName(latest) === counterName(wanted);
    if (latest !== null && !isLatest) succeed(wanted, latest);
    return stored?.used !== used || !isLatest || stored.included !== wanted.included;
  }
}

function wasInForce(before: SubscriptionTerms | null, counter: Counter): boolean {
  const per = perOfSpend(counter);
  return before !== null && capsOf(before, counter.feature).some((cap) => cap.per === per);
}
