import { priceSchema } from '@tallygate/contracts';
import { formatAmount } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { priceOf, readPriceRow, rowInForce } from './price';
import { units } from '../testing/wallets';

const row = (fields: Record<string, unknown>) =>
  readPriceRow(priceSchema.parse({ key: 'p', unit: 'USD', ...fields }));
const TIERS = [
  { up_to: '10', amount: '1', flat: '5' },
  { up_to: '20', amount: '0.5' },
  { amount: '0.1', flat: '2' },
];

describe('prices', () => {
  // row, total before, quantity, price
  it.each([
    [{ model: 'per_unit', amount: '0.002' }, 0, 500, '1'],
    [{ model: 'flat', amount: '3' }, 7, 500, '3'],
    [{ model: 'package', amount: '4', package_size: '100' }, 0, 1, '4'],
    [{ model: 'package', amount: '4', package_size: '100' }, 1, 99, '0'],
    [{ model: 'package', amount: '4', package_size: '100' }, 100, 1, '4'],
    [{ model: 'package', amount: '4', package_size: '100' }, 50, 250, '8'],
    [{ model: 'graduated', tiers: TIERS }, 0, 10, '15'],
    [{ model: 'graduated', tiers: TIERS }, 10, 1, '0.5'],
    [{ model: 'graduated', tiers: TIERS }, 5, 20, '12.5'],
    [{ model: 'graduated', tiers: TIERS }, 0, 0, '0'],
    [{ model: 'volume', tiers: TIERS }, 0, 10, '15'],
    [{ model: 'volume', tiers: TIERS }, 5, 10, '5'],
    [{ model: 'volume', tiers: TIERS }, 5, 16, '3.6'],
    [{ model: 'volume', tiers: TIERS }, 25, 10, '1'],
  ])('%j, %d before, %d more: %s', (fields, before, quantity, price) => {
    expect(formatAmount(priceOf(row(fields), units(quantity), units(before)))).toBe(price);
  });

  it('round half-even to a billionth, once per event', () => {
    const price = row({ model: 'per_unit', amount: '0.000000001' });
    const half = 500_000_000n;
    expect([1n, 3n, 5n].map((times) => priceOf(price, half * times, 0n))).toEqual([0n, 2n, 2n]);
  });
});

describe('the row in force', () => {
  const rows = [
    row({ model: 'flat', amount: '1' }),
    row({ model: 'flat', amount: '2', from: '1970-01-01T01:00:00Z' }),
    row({ model: 'flat', amount: '3', match: { model: 'm1' } }),
    row({ model: 'flat', amount: '4', match: { model: 'm1', tier: 't' }, from: '1970-01-01T02:00:00Z' }),
  ];

  // hour, group, its amount
  it.each([
    [0, {}, '1'],
    [1, {}, '2'],
    [5, { model: 'm2' }, '2'],
    [5, { model: 'm1' }, '3'],
    [1, { model: 'm1', tier: 't' }, '3'],
    [2, { model: 'm1', tier: 't' }, '4'],
  ])('at hour %d for %j costs %s', (at, group, amount) => {
    const found = rowInForce(rows, (at * 3_600_000_000) as Instant, group);
    expect(found && formatAmount(found.amount)).toBe(amount);
  });

  it('is none where no row matches', () => {
    expect(rowInForce(rows.slice(2), 0 as Instant, { model: 'm2' })).toBeNull();
  });
});
