import fc from 'fast-check';
import { catalogSchema } from '@tallygate/contracts';
import type { Budget, MeteredEvent, PlanFeature } from '@tallygate/contracts';
import { MICROS, NANO } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { capsInForce, planSlice, rateSlice, ratingBook, SliceCounters } from '.';
import type { SubscriptionTerms } from '.';

const plan = (cap?: PlanFeature['spend_cap']): Record<string, PlanFeature> => ({
  calls: { limit: 'hard', reset: 'period', ...(cap && { spend_cap: cap }) },
});
const budget = (day: string | null, month: string | null, feature = 'calls'): Budget => ({
  feature,
  day,
  month,
});

// the plan's cap, the budgets, the caps in force
it.each([
  [undefined, [], undefined],
  [undefined, [budget('1', null)], { day: '1' }],
  [{ amount: '3', per: 'day' }, [budget(null, '9')], { day: '3', month: '9' }],
  [{ amount: '3', per: 'hour' }, [budget('2', '9')], { hour: '3', day: '2', month: '9' }],
  [{ amount: '3', per: 'day' }, [budget('2', null)], { day: '2' }],
  [{ amount: '3', per: 'day' }, [budget('4', null)], { day: '3' }],
  [{ amount: '3', per: 'day' }, [budget('0', null)], { day: '0' }],
  [{ amount: '3', per: 'day' }, [budget('1', '1', 'other')], { day: '3' }],
] as const)('under a plan’s %j with the budgets %j the caps are %j', (ofPlan, budgets, expected) => {
  const found = capsInForce(plan(ofPlan), budgets).get('calls');
  const shown = found?.map(({ per, amount }) => [per, String(amount / NANO)] as const);
  expect(shown && Object.fromEntries(shown)).toEqual(expected);
});

const ZONE = 'America/New_York';
const START = Date.UTC(2026, 1, 20) * 1_000;
const book = ratingBook(
  1,
  catalogSchema.parse({
    meters: [{ key: 'calls', event_type: 'e', aggregation: 'sum', value: '$.n' }],
    features: [{ key: 'calls', kind: 'prepaid', meter: 'calls', price: 'p' }],
    prices: [{ key: 'p', unit: 'USD', model: 'per_unit', amount: '1' }],
  }),
);
const terms: SubscriptionTerms = {
  subscriptionId: 's',
  version: 1,
  effectiveAt: 0 as Instant,
  startedAt: 0 as Instant,
  endedAt: null,
  anchor: 0 as Instant,
  periodStart: 0 as Instant,
  periodEnd: (START * 2) as Instant,
  inForce: true,
  interval: 'month',
  features: plan({ amount: '3', per: 'day' }),
  caps: capsInForce(plan({ amount: '3', per: 'day' }), [budget('2', '9')]),
  zone: ZONE,
  resets: [],
};

function eventOf(at: number, quantity: number): MeteredEvent {
  const readings = [{ meter: 'calls', quantity: String(quantity), group: {}, features: ['calls'] }];
  const rest = { subject: '', source: '', id: '', type: 'e', payloadHash: '', readings };
  return { tenantId: 't', customerId: 'c', occurredAt: at, receivedAt: at, ...rest };
}

/** The local day, such as 2026-03-08; its first letters are the month. */
const localDay = (at: number): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: ZONE, dateStyle: 'short' }).format(new Date(at / 1_000));

it('what is charged counts towards each cap, in the local day and month of its own time', () => {
  const uses = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 * 24 * 4 }), fc.integer({ min: 1, max: 9 })), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(uses, (drawn) => {
      const events = drawn.map(([quarter, n]) => eventOf(START + quarter * 15 * MICROS.minute, n));
      const facts = { bookOf: () => book, historyOf: () => [terms] };
      const { counters } = rateSlice(planSlice(events, facts), new SliceCounters());
      const expected = new Map<string, bigint>();
      for (const { occurredAt, readings } of events) {
        const day = localDay(occurredAt);
        for (const name of [`day ${day}`, `month ${day.slice(0, 7)}`])
          expected.set(name, (expected.get(name) ?? 0n) + BigInt(readings[0]?.quantity ?? 0) * NANO);
      }
      const counted = counters.map(({ scope, periodStart, used, included }) => {
        const [per = ''] = scope.split(' ');
        expect(included).toBe(per === 'day' ? 2n * NANO : 9n * NANO);
        const day = localDay(periodStart);
        return [`${per} ${per === 'day' ? day : day.slice(0, 7)}`, used] as const;
      });
      expect(new Map(counted)).toEqual(expected);
    }),
  );
});
