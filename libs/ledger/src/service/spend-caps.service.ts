import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { counterName, spendCountersOf, succeed, termsAt, unitOfSpend } from '../domain';
import type { Counter, WalletKey } from '../domain';
import { CounterStore } from './counter-store';
import { counterChanged } from './ledger-facts';
import { RatingFacts } from './rating-facts';

/**
 * The spend caps of the plan in force. Gates lift a cap by the clock when its period ends; what they must be told is the
 * cap itself, before anything was spent, and again when another plan brings another one.
 */
@Injectable()
export class SpendCaps {
  constructor(
    private readonly rating: RatingFacts,
    private readonly counters: CounterStore,
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  /** A cap that is new starts from what the feature debited in its period before. */
  async open(tx: Tx, tenantId: string, customerId: string, now: Instant): Promise<void> {
    const book = await this.rating.book(tx, tenantId);
    const terms = termsAt(await this.rating.history(tx, tenantId, customerId), now);
    if (book === null || terms === null) return;
    const wanted = spendCountersOf(book, terms, { tenantId, customerId }, now);
    if (wanted.length === 0) return;
    const stored = new Map((await this.counters.lock(tx, wanted)).map((one) => [counterName(one), one]));
    const changed: Counter[] = [];
    for (const counter of wanted) {
      if (await this.takeOver(tx, stored.get(counterName(counter)), counter)) changed.push(counter);
    }
    await this.counters.save(tx, changed, () => true);
    await this.outbox.add(
      tx,
      changed.map((counter) => counterChanged(this.ids.next(), counter, now)),
    );
  }

  /** The cap that a requested debit of the feature counts towards now, locked; null: there is none in this unit. */
  async lock(
    tx: Tx,
    { tenantId, customerId, unit, feature }: WalletKey & { readonly feature: string | null },
    now: Instant,
  ): Promise<Counter | null> {
    if (feature === null) return null;
    const book = await this.rating.book(tx, tenantId);
    const terms = termsAt(await this.rating.history(tx, tenantId, customerId), now);
    if (book === null || terms === null) return null;
    const wanted = spendCountersOf(book, terms, { tenantId, customerId }, now).find(
      (counter) => counter.feature === feature && unitOfSpend(counter) === unit,
    );
    if (wanted === undefined) return null;
    return (await this.counters.lock(tx, [wanted]))[0] ?? wanted;
  }

  async spend(tx: Tx, cap: Counter | null, amount: Nano, now: Instant): Promise<void> {
    if (cap === null) return;
    cap.used += amount;
    await this.counters.save(tx, [cap], () => true);
    await this.outbox.add(tx, [counterChanged(this.ids.next(), cap, now)]);
  }

  /** @returns whether there is anything to write */
  private async takeOver(tx: Tx, stored: Counter | undefined, wanted: Counter): Promise<boolean> {
    const latest = await this.counters.latest(tx, wanted);
    if (stored === undefined) wanted.used = await this.counters.debitedIn(tx, wanted);
    else {
      wanted.used = stored.used;
      wanted.revision = stored.revision;
    }
    const isLatest = latest !== null && counterName(latest) === counterName(wanted);
    if (latest !== null && !isLatest) succeed(wanted, latest);
    return stored === undefined || !isLatest || stored.included !== wanted.included;
  }
}
