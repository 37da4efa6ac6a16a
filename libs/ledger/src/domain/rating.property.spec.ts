import fc from 'fast-check';
import { catalogSchema, priceSchema } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { formatAmount, NANO } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { naiveGraduated, naivePackages, naiveValue, naiveVolume } from '../testing/naive-rating';
import type { NaiveGauge, NaiveReading, NaiveTier } from '../testing/naive-rating';
import { priceOf, ratingBook, readPriceRow, planSlice, rateSlice, SliceCounters } from '.';
import type { Counter, SubscriptionTerms } from '.';

const DAY = 86_400_000_000;
const PERIOD = 30 * DAY;

const tiers: fc.Arbitrary<NaiveTier[]> = fc
  .array(fc.record({ width: fc.integer({ min: 1, max: 12 }), amount: fc.nat(9), flat: fc.nat(5) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((steps) => {
    let upTo = 0;
    return steps.map(({ width, amount, flat }, i) => {
      upTo += width;
      return { upTo: i === steps.length - 1 ? null : upTo, amount, flat };
    });
  });

function tiered(model: 'graduated' | 'volume', list: readonly NaiveTier[]) {
  const rows = list.map(({ upTo, amount, flat }) => ({
    ...(upTo === null ? {} : { up_to: String(upTo) }),
    amount: String(amount),
    flat: String(flat),
  }));
  return readPriceRow(priceSchema.parse({ key: 'p', unit: 'USD', model, tiers: rows }));
}

const whole = (count: number): bigint => BigInt(count) * NANO;

describe('tiers and packages', () => {
  const events = fc.array(fc.nat(30), { maxLength: 12 });

  it('price every event as the naive model does, unit by unit', () => {
    fc.assert(
      fc.property(tiers, events, (list, quantities) => {
        let before = 0;
        for (const quantity of quantities) {
          const graduated = priceOf(tiered('graduated', list), whole(quantity), whole(before));
          const volume = priceOf(tiered('volume', list), whole(quantity), whole(before));
          expect(graduated).toBe(whole(naiveGraduated(list, before, quantity)));
          expect(volume).toBe(whole(naiveVolume(list, before, quantity)));
          before += quantity;
        }
      }),
    );
  });

  it('charge graduated tiers and packages the same however a quantity is split into events', () => {
    fc.assert(
      fc.property(tiers, fc.integer({ min: 1, max: 9 }), events, (list, size, quantities) => {
        const total = quantities.reduce((a, b) => a + b, 0);
        const pack = { model: 'package', amount: '1', package_size: String(size) };
        const packages = readPriceRow(priceSchema.parse({ key: 'p', unit: 'USD', ...pack }));
        for (const row of [tiered('graduated', list), packages]) {
          let before = 0;
          let sum = 0n;
          for (const quantity of quantities) {
            sum += priceOf(row, whole(quantity), whole(before));
            before += quantity;
          }
          expect(sum).toBe(priceOf(row, whole(total), 0n));
        }
        expect(priceOf(packages, whole(total), 0n)).toBe(whole(naivePackages(size, 0, total)));
      }),
    );
  });
});

const GAUGES = ['max', 'latest', 'unique_count', 'min', 'avg'] as const;
const catalog = catalogSchema.parse({
  meters: GAUGES.map((aggregation) => ({ key: aggregation, event_type: 'e', aggregation, value: '$.v' })),
  features: GAUGES.flatMap((gauge) => [
    { key: `prepaid-${gauge}`, kind: 'prepaid', meter: gauge, price: 'p' },
    { key: `quota-${gauge}`, kind: 'quota', meter: gauge },
    { key: `mixed-${gauge}`, kind: 'quota_then_prepaid', meter: gauge, price: 'p' },
  ]),
  prices: [{ key: 'p', unit: 'USD', model: 'per_unit', amount: '1' }],
});
const INCLUDED = 7;

function terms(features: readonly string[]): SubscriptionTerms {
  return {
    subscriptionId: 's',
    version: 1,
    effectiveAt: 0 as Instant,
    startedAt: 0 as Instant,
    endedAt: null,
    anchor: 0 as Instant,
    periodStart: 0 as Instant,
    periodEnd: PERIOD as Instant,
    inForce: true,
    interval: 'month',
    features: Object.fromEntries(
      features.map((key) => [
        key,
        { limit: 'hard' as const, reset: 'never' as const, included: String(INCLUDED) },
      ]),
    ),
    caps: new Map(),
    zone: 'UTC',
    resets: [],
  };
}

const readings: fc.Arbitrary<NaiveReading[]> = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 5 }).map((hour) => hour * 3_600_000_000),
    quantity: fc.nat(20),
    value: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'),
  }),
  { maxLength: 25 },
);

function eventOf(reading: NaiveReading, gauge: NaiveGauge, features: readonly string[]): MeteredEvent {
  const unique = gauge === 'unique_count';
  return {
    tenantId: 't',
    customerId: 'c',
    subject: '',
    source: '',
    id: '',
    type: 'e',
    occurredAt: reading.at,
    receivedAt: reading.at,
    payloadHash: '',
    readings: [
      {
        meter: gauge,
        ...(unique ? { value: reading.value } : { quantity: String(reading.quantity) }),
        group: {},
        features,
      },
    ],
  };
}

/** Rates the readings in slices cut anywhere, carrying only what a store keeps from one to the next. */
function rated(gauge: NaiveGauge, list: readonly NaiveReading[], cuts: ReadonlySet<number>) {
  const features = [`prepaid-${gauge}`, `quota-${gauge}`, `mixed-${gauge}`];
  const book = ratingBook(1, catalog);
  const history = [terms(features)];
  let stored: Counter[] = [];
  const seen = new Map<string, Set<string>>();
  const charged = new Map<string, bigint>();
  const take = (slice: readonly NaiveReading[]): void => {
    const planned = planSlice(
      slice.map((one) => eventOf(one, gauge, features)),
      { bookOf: () => book, historyOf: () => history },
    );
    const counters = new SliceCounters();
    counters.add(stored);
    for (const { counter, value } of counters.valuesOf(planned))
      if (seen.get(counter.feature)?.has(value)) counter.value?.known.add(value);
    const { charges, counters: moved } = rateSlice(planned, counters);
    for (const { feature, amount } of charges)
      charged.set(feature ?? '', (charged.get(feature ?? '') ?? 0n) + amount);
    stored = [...new Map([...stored, ...moved].map((one) => [one.feature, one])).values()];
    for (const { feature, value } of moved)
      seen.set(feature, new Set([...(seen.get(feature) ?? []), ...(value?.fresh ?? [])]));
    stored = stored.map((one) => ({
      ...one,
      value: one.value && { ...one.value, known: new Set(), fresh: [] },
    }));
  };
  let slice: NaiveReading[] = [];
  list.forEach((reading, i) => {
    slice.push(reading);
    if (cuts.has(i)) {
      take(slice);
      slice = [];
    }
  });
  take(slice);
  const used = Object.fromEntries(stored.map((one) => [one.feature.split('-')[0], formatAmount(one.used)]));
  return { charged, used };
}

/** Each rise of the value from 0 is charged, above what is included where there is any; a fall gives nothing back. */
function naiveCharges(gauge: NaiveGauge, list: readonly NaiveReading[], included: number): number {
  let before = 0;
  let sum = 0;
  list.forEach((_, i) => {
    const after = naiveValue(gauge, list.slice(0, i + 1));
    sum += Math.max(0, after - Math.max(before, included));
    before = after;
  });
  return sum;
}

describe.each(['max', 'latest', 'unique_count'] as const)('a prepaid %s', (gauge) => {
  it('debits each rise of the period’s value, late and repeated values included, wherever slices are cut', () => {
    fc.assert(
      fc.property(readings, fc.array(fc.nat(25)), (list, cuts) => {
        const { charged, used } = rated(gauge, list, new Set(cuts));
        expect(charged.get(`prepaid-${gauge}`) ?? 0n).toBe(whole(naiveCharges(gauge, list, 0)));
        expect(charged.get(`mixed-${gauge}`) ?? 0n).toBe(whole(naiveCharges(gauge, list, INCLUDED)));
        if (list.length > 0) {
          const value = String(naiveValue(gauge, list));
          expect(used).toEqual({ prepaid: value, quota: value, mixed: value });
        }
      }),
    );
  });
});

describe.each(['min', 'avg'] as const)('a quota by %s', (gauge) => {
  it('stands at the meter’s own value', () => {
    fc.assert(
      fc.property(readings, fc.array(fc.nat(25)), (list, cuts) => {
        const { used } = rated(gauge, list, new Set(cuts));
        if (list.length > 0) expect(Number(used['quota'])).toBeCloseTo(naiveValue(gauge, list), 8);
      }),
    );
  });
});

describe('what is paid for in all', () => {
  it('is, for a value that never falls, that value: in any order of arrival', () => {
    fc.assert(
      fc.property(readings, (list) => {
        for (const gauge of ['max', 'unique_count'] as const) {
          const paid = rated(gauge, list, new Set()).charged.get(`prepaid-${gauge}`) ?? 0n;
          expect(paid).toBe(whole(naiveValue(gauge, list)));
        }
      }),
    );
  });
});
