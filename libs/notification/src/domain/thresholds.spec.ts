import { parseAmount } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';
import type { ThresholdRule } from './rules';
import { balanceCrossed, segmentsAt, usageCrossed } from './thresholds';
import { instantOf } from './reminders';

const amount = (text: string): Nano => {
  const parsed = parseAmount(text);
  if (!parsed.ok) throw new TypeError(text);
  return parsed.value;
};
const rule = (thresholds: string[], percent = true, recurring: string | null = null): ThresholdRule => ({
  thresholds: thresholds.map((text) => ({ text, at: amount(text) })),
  percent,
  recurring: recurring === null ? null : amount(recurring),
});
const STAGES = rule(['50', '80', '100']);
const NONE = { percent: null, units: null };

describe('usage', () => {
  test.each([
    ['below the first', [STAGES], '49.999999999', '100', NONE, null],
    ['reached is crossed', [STAGES], '80', '100', NONE, '80'],
    ['several at once are the most severe', [STAGES], '250', '100', NONE, '100'],
    ['nothing above what was announced', [STAGES], '90', '100', { percent: amount('80'), units: null }, null],
    ['a fall says nothing', [STAGES], '60', '100', { percent: amount('80'), units: null }, null],
    ['nothing included, nothing used', [STAGES], '0', '0', NONE, null],
    ['nothing included, something used', [STAGES], '1', '0', NONE, '100'],
    ['units', [rule(['10', '20'], false)], '20', '0', NONE, '20'],
    ['a step beyond the last', [rule(['10'], false, '5')], '27', '0', NONE, '25'],
    ['a step not reached', [rule(['10'], false, '5')], '14', '0', NONE, '10'],
    ['two rules at once are one', [rule(['90']), STAGES], '95', '100', NONE, '90'],
    ['percent and units at once: the higher use', [STAGES, rule(['90'], false)], '95', '100', NONE, '90'],
    ['percent and units at once: the higher use', [STAGES, rule(['70'], false)], '95', '100', NONE, '80'],
    ['order of thresholds is no matter', [rule(['80', '50'])], '85', '100', NONE, '80'],
  ] as const)('%s', (_, rules, used, included, announced, expected) => {
    expect(usageCrossed(rules, amount(used), amount(included), announced).crossed?.text ?? null).toBe(
      expected,
    );
  });
});

describe('balance', () => {
  const low = rule(['0.20', '1'], false);
  test.each([
    ['above', '1.000000001', [], null, []],
    ['exactly the amount', '1', [], '1', ['1']],
    ['several at once are the lowest', '0.1', [], '0.20', ['0.20', '1']],
    ['fired before', '0.5', ['1'], null, ['1']],
    ['lower still', '0.2', ['1'], '0.20', ['0.20', '1']],
    ['one is armed again, the other is not', '0.5', ['0.20', '1'], null, ['1']],
    ['in debt', '-3', ['0.20', '1'], null, ['0.20', '1']],
  ] as const)('%s', (_, available, fired, crossed, still) => {
    const verdict = balanceCrossed([low], amount(available), fired);
    expect([verdict.crossed?.text ?? null, verdict.fired]).toEqual([crossed, still]);
  });
});

test.each([
  ['2026-01-01T00:00:00Z', 'a', '2026-02-01T00:00:00Z'],
  ['2026-02-01T00:00:00Z', 'b', '2026-03-01T00:00:00Z'],
  ['2026-02-15T00:00:00Z', 'b', '2026-03-01T00:00:00Z'],
  ['2026-03-01T00:00:00Z', 'c', null],
  ['2020-01-01T00:00:00Z', 'a', '2026-02-01T00:00:00Z'],
])('at %s segment %s is in force', (now, available, changesAt) => {
  const segments = [
    ['2026-01-01T00:00:00Z', 'a'],
    ['2026-02-01T00:00:00Z', 'b'],
    ['2026-03-01T00:00:00Z', 'c'],
  ] as const;
  const facts = segments.map(([from, text]) => ({
    from,
    available: text,
    held: '0',
    byFeature: {},
    expired: false,
  }));
  expect(segmentsAt(facts, instantOf(now))).toEqual({
    present: expect.objectContaining({ available }) as unknown,
    changesAt: changesAt === null ? null : instantOf(changesAt),
  });
});
