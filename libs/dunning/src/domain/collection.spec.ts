import { addMicros, instant, MICROS } from '@tallygate/kernel';
import { collectionState } from './collection';
import type { CollectionState, UnpaidInvoice, Warning } from './collection';
import { DEFAULT_POLICY } from './policy';

const START = instant(0);
const day = (count: number) => addMicros(START, count * MICROS.day);
const invoice = (change: Partial<UnpaidInvoice> = {}): UnpaidInvoice => ({
  id: 'i1',
  anchor: START,
  due: 10n,
  currency: 'USD',
  policy: DEFAULT_POLICY,
  failedAt: START,
  heldSince: null,
  actionOpen: false,
  finished: false,
  ...change,
});
const warned = (delivered: number, anchor = START): Warning[] => [
  { anchor, deliveredAt: day(delivered), undeliverable: false },
];

type Row = readonly [string, readonly UnpaidInvoice[], readonly Warning[], number, CollectionState];

test.each<Row>([
  ['nothing unpaid', [], [], 40, 'current'],
  ['never failed', [invoice({ failedAt: null })], [], 40, 'current'],
  ['first failure', [invoice()], [], 0, 'grace'],
  ['old, but no warning delivered', [invoice()], [], 100, 'grace'],
  ['the warning is about another anchor', [invoice()], warned(3, day(1)), 100, 'grace'],
  ['warning delivered', [invoice()], warned(3), 3, 'warned'],
  ['a moment before the suspension', [invoice()], warned(3), 13.999, 'warned'],
  ['at the suspension', [invoice()], warned(3), 14, 'suspended'],
  ['warned late: its notice first', [invoice()], warned(13), 14.999, 'warned'],
  ['warned late: after its notice', [invoice()], warned(13), 15, 'suspended'],
  ['at the end', [invoice()], warned(3), 30, 'ended'],
  ['the end waits for the suspension', [invoice()], warned(40), 41, 'warned'],
  ['then both come at once', [invoice()], warned(40), 42, 'ended'],
  [
    'final action none stays',
    [invoice({ policy: { ...DEFAULT_POLICY, finalAction: 'none' } })],
    warned(3),
    30,
    'suspended',
  ],
  ['finished anchors nothing', [invoice({ finished: true })], warned(3), 60, 'current'],
  [
    'below the minimum',
    [invoice({ policy: { ...DEFAULT_POLICY, minAmount: { USD: 11n } } })],
    warned(3),
    60,
    'grace',
  ],
  [
    'the sum reaches it',
    [
      invoice({ policy: { ...DEFAULT_POLICY, minAmount: { USD: 20n } } }),
      invoice({ id: 'i2', anchor: day(1) }),
    ],
    warned(3),
    20,
    'suspended',
  ],
  ['an open authentication', [invoice({ failedAt: null, actionOpen: true })], [], 0, 'action_required'],
  ['unknown before anything failed', [invoice({ failedAt: null, heldSince: START })], [], 40, 'current'],
  ['unknown while warned', [invoice({ heldSince: day(13) })], warned(3), 40, 'warned'],
  ['unknown while suspended', [invoice({ heldSince: day(14) })], warned(3), 40, 'suspended'],
  [
    'the younger one ages beside a held one',
    [invoice({ heldSince: day(1) }), invoice({ id: 'i2', anchor: day(5) })],
    warned(8, day(5)),
    19,
    'suspended',
  ],
])('%s', (_, invoices, warning, now, expected) => {
  expect(collectionState(invoices, warning, false, day(now)).state).toBe(expected);
});

test('a chargeback denies at once', () => {
  expect(collectionState([], [], true, START).state).toBe('disputed');
});

test('paying the oldest invoice moves the anchor and asks for a warning about the next', () => {
  const both = [invoice(), invoice({ id: 'i2', anchor: day(10) })];
  expect(collectionState(both, warned(3), false, day(14))).toMatchObject({
    state: 'suspended',
    anchor: START,
  });
  expect(collectionState(both.slice(1), warned(3), false, day(14))).toMatchObject({
    state: 'grace',
    anchor: day(10),
    warningDue: true,
  });
});
