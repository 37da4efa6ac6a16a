import { NANO, formatAmount, parseAmount } from '@tallygate/kernel';
import type { Price } from '@tallygate/contracts';
import { FeedState } from './feed-state';
import { priceOf } from './price';
import type { PriceHistory } from './state';
import { NOW, TENANT, catalogEntry, price } from '../testing/world';

function histories(...rows: readonly Price[]): readonly PriceHistory[] {
  const state = new FeedState();
  state.apply({
    tenantId: TENANT,
    kind: 'catalog',
    key: 'catalog',
    version: 1,
    removed: false,
    payload: catalogEntry({ prices: rows }),
  });
  return state.tenant(TENANT)?.catalog?.prices.get('token_price') ?? [];
}

function units(text: string): bigint {
  const parsed = parseAmount(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
}

const tiers = [
  { up_to: '10', amount: '2', flat: '1' },
  { up_to: '20', amount: '1', flat: '5' },
  { amount: '0.5' },
];

describe.each([
  ['per_unit', price(), '1.5', null, '0.003'],
  ['per_unit rounds half-even', price({ amount: '0.000000001' }), '0.5', null, '0'],
  ['flat', price({ model: 'flat', amount: '3' }), '7', null, '3'],
  ['flat of nothing', price({ model: 'flat', amount: '3' }), '0', null, '0'],
  ['package, begun anew', price({ model: 'package', amount: '5', package_size: '100' }), '1', '0', '5'],
  ['package, within one', price({ model: 'package', amount: '5', package_size: '100' }), '99', '1', '0'],
  [
    'package, into two more',
    price({ model: 'package', amount: '5', package_size: '100' }),
    '101',
    '100',
    '10',
  ],
  [
    'package, total not known',
    price({ model: 'package', amount: '5', package_size: '100' }),
    '150',
    null,
    '5',
  ],
  ['graduated, first tier entered', price({ model: 'graduated', tiers }), '1', '0', '3'],
  ['graduated, up_to belongs to the lower tier', price({ model: 'graduated', tiers }), '10', '0', '21'],
  ['graduated, across a boundary', price({ model: 'graduated', tiers }), '4', '8', '11'],
  ['graduated, into the last tier', price({ model: 'graduated', tiers }), '30', '0', '41'],
  ['graduated, total not known', price({ model: 'graduated', tiers }), '4', null, '2'],
  ['volume, at the tier reached', price({ model: 'volume', tiers }), '4', '8', '9'],
  ['volume, within a tier', price({ model: 'volume', tiers }), '2', '12', '2'],
  ['volume, into the last tier', price({ model: 'volume', tiers }), '2', '20', '1'],
] as const)('%s', (_what, row, asked, running, expected) => {
  it(`costs ${expected}`, () => {
    const found = priceOf(histories(row), units(asked), NOW, running === null ? null : units(running));
    expect(found).toMatchObject({ unit: 'USD' });
    expect(formatAmount(found?.amount ?? -1n)).toBe(expected);
  });
});

describe('rows', () => {
  const cost = (rows: readonly Price[], groups?: Record<string, string>): string => {
    const found = priceOf(histories(...rows), NANO, NOW, null, groups);
    return found === null ? 'none' : formatAmount(found.amount);
  };

  it('the latest in force counts', () => {
    const rows = [
      price({ amount: '1' }),
      price({ amount: '3', from: '2026-03-11T00:00:00Z' }),
      price({ amount: '2', from: '2026-03-10T12:00:00Z' }),
    ];
    expect(cost(rows)).toBe('2');
  });

  it('of one instant the one appended last counts', () => {
    const from = '2026-03-01T00:00:00Z';
    expect(cost([price({ amount: '1', from }), price({ amount: '2', from })])).toBe('2');
  });

  it('of several that match the one with the most groups counts; without groups the lowest', () => {
    const rows = [
      price({ amount: '4' }),
      price({ amount: '1', match: { model: 'small' } }),
      price({ amount: '9', match: { model: 'big', tier: 'x' } }),
    ];
    expect(cost(rows, { model: 'small' })).toBe('1');
    expect(cost(rows, { model: 'big', tier: 'x' })).toBe('9');
    expect(cost(rows, { model: 'big' })).toBe('4');
    expect(cost(rows)).toBe('1');
  });

  it('none in force is none', () => {
    expect(cost([price({ from: '2027-01-01T00:00:00Z' })])).toBe('none');
  });
});
