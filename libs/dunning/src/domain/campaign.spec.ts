import { addMicros, instant, MICROS, NANO } from '@tallygate/kernel';
import { afterCap, afterDecline, NEW_CAMPAIGN } from './campaign';
import type { CollectedInvoice } from './campaign';
import { readDecline } from './decline';
import { DEFAULT_POLICY } from './policy';
import type { Policy } from './policy';

const START = instant(1_800_000_000_000_000);
const HOLDER = { funding: 'credit', zone: 'UTC' } as const;
const TWO_GAPS: Policy = {
  ...DEFAULT_POLICY,
  snap: false,
  schedules: { generic: { kind: 'gaps', gaps: [MICROS.hour, MICROS.hour] } },
};
const owed: CollectedInvoice = {
  campaign: NEW_CAMPAIGN,
  invoice: {
    id: 'i1',
    number: 1,
    customerId: 'c1',
    payerId: 'c1',
    kind: 'subscription',
    currency: 'USD',
    total: 49n * NANO,
    due: 49n * NANO,
    anchor: START,
    status: 'open',
    policyKey: null,
    interval: 'month',
    version: 1,
  },
};

test('a step that a cap forbids is used up, of a list of gaps too', () => {
  const decline = readDecline('do_not_honor', null);
  const declined = { decline, triedAt: START, methodChanged: false };
  let campaign = afterDecline(owed, declined, TWO_GAPS, HOLDER, START);
  const tries = [campaign.tryAt];
  for (const hour of [1, 2]) {
    campaign = afterCap({ ...owed, campaign }, TWO_GAPS, HOLDER, addMicros(START, hour * MICROS.hour));
    tries.push(campaign.tryAt);
  }
  expect(tries).toEqual([addMicros(START, MICROS.hour), addMicros(START, 2 * MICROS.hour), null]);
  expect(campaign.declines).toBe(1);
});
