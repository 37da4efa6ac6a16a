import * as fc from 'fast-check';
import { Rig } from './rig';
import { type Fact, balance, lot, quota } from './rig-facts';

const START = '2026-01-10T00:00:00Z';
const KNOWN = '00000000-0000-7000-8000-0000000000d1';
const LATE = '00000000-0000-7000-8000-0000000000d2';
const RULES = [
  { key: 'low', on: 'balance' as const, thresholds: ['0.20', '1', '4'], percent: false, unit: 'USD' },
  {
    key: 'use',
    on: 'usage' as const,
    thresholds: ['40', '90'],
    percent: true,
    feature: 'chats',
    recurring: 25,
  },
];
const day = (after: number): string => new Date(Date.parse(START) + after * 43_200_000).toISOString();
let rig: Rig;

beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig.stop());

const customerId = fc.constantFrom(KNOWN, KNOWN, LATE);
const version = fc.integer({ min: 1, max: 9 });
const halfDay = fc.integer({ min: -2, max: 24 });
const used = fc.record({
  customerId,
  version,
  used: fc.constantFrom('0', '30', '49', '50', '79', '80', '90', '130', '200'),
  change: fc.record({
    feature: fc.constantFrom('calls', 'chats'),
    included: fc.constantFrom('100', '100', '0'),
    periodStart: fc.constantFrom('2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
  }),
});
const available = fc.constantFrom('-1', '0', '0.2', '0.5', '1', '3', '4', '5', '9');
const segments = fc
  .uniqueArray(fc.tuple(halfDay, available), { selector: ([from]) => from, minLength: 1, maxLength: 3 })
  .map((list) => list.sort(([a], [b]) => a - b).map(([from, amount]) => [day(from), amount] as const));
const left = fc.record({
  grantId: fc.constantFrom('00000000-0000-7000-8000-0000000000a1', '00000000-0000-7000-8000-0000000000a2'),
  status: fc.constantFrom('active' as const, 'active' as const, 'used' as const),
  remaining: fc.constantFrom('5', '3', '0'),
  expiresAt: fc.option(halfDay.map(day)),
});
const fact = fc.oneof(
  used.map((one) => quota(one.customerId, one.version, one.used, one.change)),
  fc
    .record({ customerId, version, segments })
    .map((one) => balance(one.customerId, one.version, ...one.segments)),
  fc.record({ customerId, version, left }).map((one) => lot(one.customerId, one.version, one.left)),
);

/** Slices heard at one instant; then time passes, rules change, or a customer becomes known. */
const step = fc.record({
  slices: fc.array(fc.array(fact, { maxLength: 12 }), { maxLength: 3 }),
  then: fc.oneof(halfDay, fc.constantFrom('rules' as const, 'customer' as const)),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function live(steps: readonly Step[], slicesOf: (step: Step) => readonly (readonly Fact[])[]) {
  await rig.given(START, {}, RULES);
  await become(KNOWN);
  let passed = 0;
  for (const one of steps) {
    for (const slice of slicesOf(one)) await rig.saySlice(slice);
    await rig.settle();
    if (one.then === 'rules') await rig.rules(RULES.slice(passed % 2));
    else if (one.then === 'customer') await become(LATE);
    else await rig.to(day((passed += Math.max(one.then, 1))));
    await rig.settle();
  }
  const planned = await rig.kept();
  await rig.to(day(passed + 30));
  return { planned, kept: await rig.kept(), mails: rig.mails().sort() };
}

async function become(id: string): Promise<void> {
  rig.customerId = id;
  await rig.customer({ key: id, email: `${id.slice(-2)}@acme.example` });
}

test('any slicing of the ledger’s facts says, keeps and plans the same as one by one', async () => {
  const slicing = fc.array(step, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(slicing, async (steps) => {
      const alone = await live(steps, ({ slices }) => slices.flat().map((one) => [one]));
      expect(await live(steps, ({ slices }) => slices)).toEqual(alone);
    }),
    { numRuns: 8 },
  );
});

test('a fact with a fault holds up those behind it, and none before it', async () => {
  await rig.given(START);
  const { customerId: alone } = rig;
  await become(KNOWN);
  const withoutSegments = balance(KNOWN, 1);
  const slice = [quota(alone, 1, '50'), withoutSegments, quota(alone, 2, '80')];
  await expect(rig.saySlice(slice)).rejects.toThrow();
  await rig.settle();
  expect(rig.mails()).toEqual(['usage_threshold 50']);
});
