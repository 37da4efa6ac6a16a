import { Injectable } from '@nestjs/common';
import type { MeteredEvent, MeterReading } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { chargeUsage, planSlice, rateSlice, SliceCounters } from '../domain';
import type { SubscriptionTerms, WalletCharge } from '../domain';
import { CounterStore } from './counter-store';
import { ParkedStore, RatingFacts } from './rating-facts';
import type { StoredParked } from './rating-facts';
import { WalletPosting } from './wallet-posting';

/** Charges that no price row matched, taken up again when the catalog changes. */
@Injectable()
export class ParkedUsage {
  constructor(
    private readonly parked: ParkedStore,
    private readonly rating: RatingFacts,
    private readonly counters: CounterStore,
    private readonly posting: WalletPosting,
  ) {}

  /** Rates what can be rated now, at each event's own time, posted now. */
  async redrive(tx: Tx, tenantId: string, now: Instant): Promise<void> {
    const waiting = await this.parked.take(tx, tenantId);
    if (waiting.length === 0) return;
    const book = await this.rating.book(tx, tenantId);
    const histories = new Map<string, readonly SubscriptionTerms[]>();
    for (const customerId of new Set(waiting.map((one) => one.customerId))) {
      histories.set(customerId, await this.rating.history(tx, tenantId, customerId));
    }
    const events = new Map(waiting.map((one) => [eventOf(one), one]));
    const planned = planSlice([...events.keys()], {
      bookOf: () => book,
      historyOf: (customerId) => histories.get(customerId) ?? [],
    });
    const counters = new SliceCounters();
    counters.add(await this.counters.lock(tx, counters.keysOf(planned)));
    const rated = rateSlice(planned, counters);
    const still = new Set(rated.parked.map((one) => events.get(one.event)?.id));
    await this.charge(tx, rated.charges, now);
    await this.counters.save(tx, rated.counters, () => false);
    await this.parked.remove(
      tx,
      waiting.map((one) => one.id).filter((id) => !still.has(id)),
    );
  }

  private async charge(tx: Tx, charges: readonly WalletCharge[], now: Instant): Promise<void> {
    if (charges.length === 0) return;
    const open = await this.posting.open(tx, charges, () => now);
    charges.forEach((charge, i) => {
      const wallet = open[i];
      if (wallet !== undefined) chargeUsage(wallet.draft, charge);
    });
    await this.posting.close(tx, [...new Set(open)], 'all');
  }
}

/** As metered, for the one feature that waits. */
function eventOf(parked: StoredParked): MeteredEvent {
  const reading = parked.reading as MeterReading;
  return {
    tenantId: parked.tenantId,
    customerId: parked.customerId,
    subject: '',
    source: parked.source,
    id: parked.eventId,
    type: '',
    occurredAt: parked.occurredAt,
    receivedAt: parked.occurredAt,
    payloadHash: '',
    readings: [{ ...reading, features: [parked.feature] }],
  };
}
