import type { MeteredEvent, MeterReading, PlanFeature } from '@tallygate/contracts';
import { instant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { counterName, emptyCounter } from './counter';
import type { Counter, CounterKey } from './counter';
import type { Charge } from './burn';
import type { PriceRow } from './price';
import { runsOverPeriod } from './price';
import { includedOf, quantityOf, ratable, rate } from './rating';
import type { PeriodCounters, Ratable, RatingBook } from './rating';
import { quotaPeriod, subscriptionPeriod, termsAt } from './subscription';
import type { QuotaPeriod, SubscriptionTerms } from './subscription';

/** What the ledger knows about the customers of a slice. */
export interface SliceFacts {
  bookOf(tenantId: string): RatingBook | null;
  /** All versions of the customer's subscriptions, oldest first. */
  historyOf(customerId: string): readonly SubscriptionTerms[];
}

/** One row to store: what a meter read from an event, and what one feature charges for it. */
export interface UsageRow {
  readonly event: MeteredEvent;
  readonly ordinal: number;
  /** Null on further rows of a reading that several features debit: the meter counts it once. */
  readonly reading: MeterReading | null;
  readonly quantity: Nano | null;
  readonly feature: string | null;
  readonly unit: string | null;
  readonly amount: Nano | null;
  readonly included: Nano | null;
}

export interface ParkedCharge {
  readonly event: MeteredEvent;
  readonly feature: string;
  readonly reading: MeterReading;
}

type Charged = Pick<UsageRow, 'feature' | 'unit' | 'amount' | 'included'>;

/** A charge and the wallet it goes to. */
export interface WalletCharge extends Charge {
  readonly tenantId: string;
  readonly customerId: string;
  readonly unit: string;
}

export interface RatedSlice {
  readonly rows: readonly UsageRow[];
  /** In the order of the events. */
  readonly charges: readonly WalletCharge[];
  readonly parked: readonly ParkedCharge[];
  /** Counters that moved. */
  readonly counters: readonly Counter[];
}

/** What of an event is to be rated, in order: found before counters are read, because it says which. */
export interface PlannedReading {
  readonly event: MeteredEvent;
  readonly reading: MeterReading | null;
  readonly ratables: readonly Ratable[];
}

const NOTHING: readonly Ratable[] = [];

export function planSlice(events: readonly MeteredEvent[], facts: SliceFacts): PlannedReading[] {
  const planned: PlannedReading[] = [];
  for (const event of events) {
    const book = facts.bookOf(event.tenantId);
    const at = instant(event.occurredAt);
    const terms = book === null ? null : termsAt(facts.historyOf(event.customerId), at);
    if (event.readings.length === 0) planned.push({ event, reading: null, ratables: NOTHING });
    for (const reading of event.readings) {
      const ratables = book === null || terms === null ? NOTHING : ratablesOf(book, terms, reading, at);
      planned.push({ event, reading, ratables });
    }
  }
  return planned;
}

function ratablesOf(
  book: RatingBook,
  terms: SubscriptionTerms,
  reading: MeterReading,
  at: Instant,
): readonly Ratable[] {
  const found: Ratable[] = [];
  for (const feature of reading.features) {
    const item = ratable(book, terms, feature, reading, at);
    if (item !== null) found.push(item);
  }
  return found;
}

/** The counters of one slice: those that were read, and new ones for periods not counted yet. */
export class SliceCounters implements PeriodCounters {
  private readonly counters = new Map<string, Counter>();
  readonly moved = new Set<Counter>();
  private readonly periods = new Map<SubscriptionTerms, Map<string, QuotaPeriod>>();

  constructor(
    private readonly event: { tenantId: string; customerId: string } = { tenantId: '', customerId: '' },
  ) {}

  /** Whose usage is rated next. */
  for(event: { readonly tenantId: string; readonly customerId: string }): this {
    this.event.tenantId = event.tenantId;
    this.event.customerId = event.customerId;
    return this;
  }

  add(counters: Iterable<Counter>): void {
    for (const counter of counters) this.counters.set(counterName(counter), counter);
  }

  quota(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant): Counter {
    return this.at(this.quotaKey(feature, plan, terms, at), this.period(terms, feature, plan, at), plan);
  }

  tier(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant, row: PriceRow): Counter {
    return this.at(this.tierKey(feature, terms, at, row), subscriptionPeriod(terms, at), plan);
  }

  /** Which counters rating will ask for. */
  keysOf(planned: readonly PlannedReading[]): CounterKey[] {
    const keys = new Map<string, CounterKey>();
    for (const { event, ratables } of planned) {
      for (const item of ratables)
        for (const key of this.for(event).keysOfItem(item)) keys.set(counterName(key), key);
    }
    return [...keys.values()];
  }

  private keysOfItem({ feature, plan, terms, row, at }: Ratable): CounterKey[] {
    const keys: CounterKey[] = [];
    if (feature.kind !== 'prepaid') keys.push(this.quotaKey(feature.key, plan, terms, at));
    if (row !== null && feature.kind !== 'quota' && runsOverPeriod(row))
      keys.push(this.tierKey(feature.key, terms, at, row));
    return keys;
  }

  private quotaKey(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant): CounterKey {
    const { start } = this.period(terms, feature, plan, at);
    return { ...this.event, feature, kind: 'quota', scope: '', periodStart: start };
  }

  private tierKey(feature: string, terms: SubscriptionTerms, at: Instant, row: PriceRow): CounterKey {
    return {
      ...this.event,
      feature,
      kind: 'tier',
      scope: row.matchText,
      periodStart: subscriptionPeriod(terms, at).start,
    };
  }

  private at(key: CounterKey, period: QuotaPeriod, plan: PlanFeature): Counter {
    const name = counterName(key);
    let counter = this.counters.get(name);
    if (counter === undefined) {
      counter = emptyCounter(key, period, plan, includedOf(plan));
      this.counters.set(name, counter);
    }
    this.moved.add(counter);
    return counter;
  }

  /** Events of a slice lie close together: the period last found is nearly always the next one's too. */
  private period(terms: SubscriptionTerms, feature: string, plan: PlanFeature, at: Instant): QuotaPeriod {
    const known = this.periods.get(terms) ?? new Map<string, QuotaPeriod>();
    this.periods.set(terms, known);
    const last = known.get(feature);
    if (last !== undefined && last.start <= at && (last.end === null || at < last.end)) return last;
    const found = quotaPeriod(terms, feature, plan.reset, at);
    known.set(feature, found);
    return found;
  }
}

/** Rates the events in order, each against the counters as the ones before it left them. */
export function rateSlice(planned: readonly PlannedReading[], counters: SliceCounters): RatedSlice {
  const rows: UsageRow[] = [];
  const charges: WalletCharge[] = [];
  const parked: ParkedCharge[] = [];
  let ordinal = 0;
  let last: MeteredEvent | null = null;
  for (const { event, reading, ratables } of planned) {
    ordinal = event === last ? ordinal : 0;
    last = event;
    let shown: MeterReading | null = reading;
    const quantity = reading?.quantity === undefined ? null : quantityOf(reading);
    const push = (charged: Charged): void => {
      rows.push({ event, ordinal, reading: shown, quantity, ...charged });
      ordinal += 1;
      shown = null;
    };
    if (ratables.length === 0) push(ONLY_COUNTED);
    for (const item of ratables) push(chargeOf(item, event, reading, counters, charges, parked));
  }
  return { rows, charges, parked, counters: [...counters.moved] };
}

const ONLY_COUNTED = { feature: null, unit: null, amount: null, included: null };

function chargeOf(
  item: Ratable,
  event: MeteredEvent,
  reading: MeterReading | null,
  counters: SliceCounters,
  charges: WalletCharge[],
  parked: ParkedCharge[],
): Charged {
  const { tenantId, customerId } = event;
  const feature = item.feature.key;
  const rated = rate(item, counters.for(event));
  switch (rated.kind) {
    case 'parked':
      if (reading !== null) parked.push({ event, feature, reading });
      return ONLY_COUNTED;
    case 'counted':
      return { feature, unit: null, amount: null, included: rated.included };
    case 'charged': {
      const { unit, amount, included } = rated;
      charges.push({ tenantId, customerId, unit, feature, amount, occurredAt: item.at });
      return { feature, unit, amount, included: included === 0n ? null : included };
    }
  }
}
