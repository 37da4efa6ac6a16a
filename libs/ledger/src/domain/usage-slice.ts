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
import { capPeriod, capsOf, spendScope } from './spend-cap';
import type { SpendCap } from './spend-cap';
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
  readonly meter: string | null;
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
  /** Of the event's row that waits for this charge. */
  readonly ordinal: number;
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
  private readonly capPeriods = new Map<string, { readonly start: Instant; readonly end: Instant }>();

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
    return this.ofPeriod('quota', feature, plan, terms, at);
  }

  value(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant): Counter {
    return this.ofPeriod('value', feature, plan, terms, at);
  }

  tier(feature: string, plan: PlanFeature, terms: SubscriptionTerms, at: Instant, row: PriceRow): Counter {
    const key = this.tierKey(feature, terms, at, row);
    return this.at(key, subscriptionPeriod(terms, at), plan, 0n);
  }

  spend(feature: string, cap: SpendCap, terms: SubscriptionTerms, at: Instant, unit: string): Counter {
    const period = this.capPeriod(cap, terms, at);
    const { kind, scope } = spendScope(cap, unit);
    return this.at(this.key(feature, kind, scope, period.start), period, { limit: 'hard' }, cap.amount);
  }

  private ofPeriod(
    kind: 'quota' | 'value',
    feature: string,
    plan: PlanFeature,
    terms: SubscriptionTerms,
    at: Instant,
  ): Counter {
    const period = this.period(terms, feature, plan, at);
    return this.at(this.key(feature, kind, '', period.start), period, plan, includedOf(plan));
  }

  /** Written out: spread and added to, every key would have a hidden class of its own, and reading it would be slow. */
  private key(feature: string, kind: CounterKey['kind'], scope: string, periodStart: Instant): CounterKey {
    const { tenantId, customerId } = this.event;
    return { tenantId, customerId, feature, kind, scope, periodStart };
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

  private keysOfItem({ feature, plan, terms, row, at, gauge }: Ratable): CounterKey[] {
    const keys: CounterKey[] = [];
    const prepaid = feature.kind === 'prepaid';
    if (!prepaid || gauge !== null) {
      const { start } = this.period(terms, feature.key, plan, at);
      keys.push(this.key(feature.key, prepaid ? 'value' : 'quota', '', start));
    }
    if (row === null || feature.kind === 'quota') return keys;
    if (runsOverPeriod(row)) keys.push(this.tierKey(feature.key, terms, at, row));
    for (const cap of capsOf(terms, feature.key)) {
      const { kind, scope } = spendScope(cap, row.unit);
      keys.push(this.key(feature.key, kind, scope, this.capPeriod(cap, terms, at).start));
    }
    return keys;
  }

  private tierKey(feature: string, terms: SubscriptionTerms, at: Instant, row: PriceRow): CounterKey {
    return this.key(feature, 'tier', row.matchText, subscriptionPeriod(terms, at).start);
  }

  private at(
    key: CounterKey,
    period: QuotaPeriod,
    plan: Pick<PlanFeature, 'limit'>,
    included: Nano,
  ): Counter {
    const name = counterName(key);
    let counter = this.counters.get(name);
    if (counter === undefined) {
      counter = emptyCounter(key, period, plan, included);
      this.counters.set(name, counter);
    }
    this.moved.add(counter);
    return counter;
  }

  /** What unique counts must know: which of these values their counters counted before. */
  valuesOf(planned: readonly PlannedReading[]): { readonly counter: Counter; readonly value: string }[] {
    const asked = new Map<string, { readonly counter: Counter; readonly value: string }>();
    for (const { event, ratables } of planned) {
      for (const { feature, plan, terms, at, gauge, value } of ratables) {
        if (gauge !== 'unique_count' || value === null) continue;
        const kind = feature.kind === 'prepaid' ? 'value' : 'quota';
        const { start } = this.period(terms, feature.key, plan, at);
        const name = counterName(this.for(event).key(feature.key, kind, '', start));
        const counter = this.counters.get(name);
        if (counter !== undefined) asked.set(`${name}\n${value}`, { counter, value });
      }
    }
    return [...asked.values()];
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

  private capPeriod({ per }: SpendCap, { zone }: SubscriptionTerms, at: Instant) {
    const name = per + zone;
    const last = this.capPeriods.get(name);
    if (last !== undefined && last.start <= at && at < last.end) return last;
    const found = capPeriod(per, at, zone);
    this.capPeriods.set(name, found);
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
    let meter = reading?.meter ?? null;
    const quantity = reading?.quantity === undefined ? null : quantityOf(reading);
    const push = (charged: Charged): void => {
      rows.push({ event, ordinal, meter, reading, quantity, ...charged });
      ordinal += 1;
      meter = null;
    };
    if (ratables.length === 0) push(ONLY_COUNTED);
    const park = (feature: string): void => {
      if (reading !== null) parked.push({ event, feature, reading, ordinal });
    };
    for (const item of ratables) push(chargeOf(item, event, counters, charges, park));
  }
  return { rows, charges, parked, counters: [...counters.moved] };
}

const ONLY_COUNTED = { feature: null, unit: null, amount: null, included: null };

function chargeOf(
  item: Ratable,
  event: MeteredEvent,
  counters: SliceCounters,
  charges: WalletCharge[],
  park: (feature: string) => void,
): Charged {
  const { tenantId, customerId } = event;
  const feature = item.feature.key;
  const rated = rate(item, counters.for(event));
  switch (rated.kind) {
    case 'parked':
      park(feature);
      return ONLY_COUNTED;
    case 'counted':
      return { feature, unit: null, amount: null, included: rated.included === 0n ? null : rated.included };
    case 'charged': {
      const { unit, amount, included } = rated;
      charges.push({ tenantId, customerId, unit, feature, amount, occurredAt: item.at });
      return { feature, unit, amount, included: included === 0n ? null : included };
    }
  }
}

/** The spend counters of the caps in force at an instant, with nothing spent yet. */
export function spendCountersOf(
  book: RatingBook,
  terms: SubscriptionTerms,
  customer: { readonly tenantId: string; readonly customerId: string },
  at: Instant,
): Counter[] {
  return [...terms.caps].flatMap(([key, caps]) => {
    const unit = book.prices.get(book.features.get(key)?.price ?? '')?.[0]?.unit;
    if (unit === undefined) return [];
    return caps.map((cap) => {
      const period = capPeriod(cap.per, at, terms.zone);
      const name = { ...customer, feature: key, ...spendScope(cap, unit), periodStart: period.start };
      return emptyCounter(name, period, { limit: 'hard' }, cap.amount);
    });
  });
}
