import { Injectable } from '@nestjs/common';
import type { MeteredEvent, MeterReading } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { chargeUsage, isTold, planSlice } from '../domain';
import type { Counter, RatedSlice, UsageRow } from '../domain';
import { CounterStore } from './counter-store';
import { Counting } from './counting.service';
import { counterChanged } from './ledger-facts';
import { ParkedStore } from './rating-facts';
import type { StoredParked } from './rating-facts';
import { UsageStore } from './usage-store';
import { WalletPosting } from './wallet-posting';

/** Charges that no price row matched, taken up again when the catalog changes. */
@Injectable()
export class ParkedUsage {
  constructor(
    private readonly parked: ParkedStore,
    private readonly usage: UsageStore,
    private readonly counters: CounterStore,
    private readonly counting: Counting,
    private readonly posting: WalletPosting,
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  /** Rates what can be rated now, at each event's own time, posted now. */
  async redrive(tx: Tx, tenantId: string, now: Instant): Promise<void> {
    const waiting = await this.parked.take(tx, tenantId);
    if (waiting.length === 0) return;
    const events = new Map(waiting.map((one) => [eventOf(one), one]));
    const asked = [...events.keys()];
    const planned = planSlice(asked, await this.usage.facts(tx, asked));
    const { rated } = await this.counting.rate(tx, planned);
    const still = new Set(rated.parked.map((one) => events.get(one.event)?.id));
    await this.charge(tx, rated, events, now);
    await this.tell(tx, rated.counters, now);
    await this.parked.remove(
      tx,
      waiting.map((one) => one.id).filter((id) => !still.has(id)),
    );
  }

  /** As a slice would have: the charge stands on the event's row, beside the journal rows that hold it. */
  private async charge(
    tx: Tx,
    { rows, charges }: RatedSlice,
    events: ReadonlyMap<MeteredEvent, StoredParked>,
    now: Instant,
  ): Promise<void> {
    const open = await this.posting.open(tx, charges, () => now);
    charges.forEach((charge, i) => {
      const wallet = open[i];
      if (wallet !== undefined) chargeUsage(wallet.draft, charge);
    });
    const walletOf = ({ event, unit }: UsageRow): bigint | null =>
      open.find(({ draft: { wallet } }) => wallet.customerId === event.customerId && wallet.unit === unit)
        ?.draft.wallet.id ?? null;
    const charged = rows.flatMap((row) => {
      const parked = row.feature === null ? undefined : events.get(row.event);
      return parked === undefined ? [] : [{ parked, row, walletId: walletOf(row) }];
    });
    if (charged.length === 0) return;
    const sliceId = await this.usage.charge(tx, charged);
    await this.posting.close(tx, [...new Set(open)], 'all', sliceId);
  }

  private async tell(tx: Tx, counters: readonly Counter[], now: Instant): Promise<void> {
    await this.counters.save(tx, counters, isTold);
    const facts = counters.filter(isTold).map((counter) => counterChanged(this.ids.next(), counter, now));
    await this.outbox.add(tx, facts);
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
