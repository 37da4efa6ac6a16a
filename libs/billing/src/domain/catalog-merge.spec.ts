import { catalogSchema } from '@tallygate/contracts';
import type { Catalog } from '@tallygate/contracts';
import { parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { announcedRows, conflictingRows, EMPTY_CATALOG, inForce, mergeCatalog } from './catalog-merge';

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};
const MARCH = at('2026-03-01T00:00:00Z');
const APRIL = at('2026-04-01T00:00:00Z');
const catalog = (document: object): Catalog => catalogSchema.parse(document);
const price = (more: object = {}) => ({ key: 'token', unit: 'USD', model: 'per_unit', amount: '1', ...more });
const applied = (...documents: object[]) =>
  documents.reduce<Catalog>(
    (stored, document, index) => mergeCatalog(stored, catalog(document), index === 0 ? MARCH : APRIL),
    EMPTY_CATALOG,
  );

test('applying a document twice changes nothing', () => {
  const document = {
    prices: [price()],
    plans: [{ key: 'a', amount: '5' }],
    meters: [{ key: 'm', event_type: 'x', aggregation: 'count' }],
  };
  expect(applied(document, document)).toEqual(applied(document));
});

test('a plan keeps its version while its body is the same, whatever the order of its keys', () => {
  const one = { plans: [{ key: 'a', amount: '5', trial_days: 7 }] };
  const same = { plans: [{ trial_days: 7, amount: '5', key: 'a' }] };
  const other = { plans: [{ key: 'a', amount: '6' }] };
  expect(
    [one, same, other].map((_, n) => applied(...[one, same, other].slice(0, n + 1)).plans[0]?.version),
  ).toEqual([1, 1, 2]);
});

describe('rows that the ledger must agree to', () => {
  const stored = applied({ prices: [price()] });
  const EARLIER = '2026-03-15T00:00:00Z';
  // what is given, how many of it
  test.each<[string, object, number]>([
    ['from an instant', price({ amount: '2', from: EARLIER }), 1],
    ['from now on', price({ amount: '2' }), 0],
    ['the same again', price(), 0],
    ['since always, for a match of its own', price({ amount: '2', match: { model: 'm' } }), 1],
    ['the first of a price', price({ key: 'other' }), 0],
  ])('%s', (_, row, count) => {
    const document = catalog({ prices: [row] });
    const merged = mergeCatalog(stored, document, APRIL);
    expect(announcedRows(stored, merged, document.prices)).toHaveLength(count);
  });
});

describe('price rows', () => {
  test('a changed price without a start is in force from now on; the past keeps its own', () => {
    const { prices } = applied({ prices: [price()] }, { prices: [price({ amount: '2' })] });
    expect(prices.map(({ amount, from }) => [amount, from])).toEqual([
      ['1', undefined],
      ['2', '2026-04-01T00:00:00Z'],
    ]);
    expect([inForce(prices, MARCH)?.amount, inForce(prices, APRIL)?.amount]).toEqual(['1', '2']);
  });

  test('rows of other matches are series of their own', () => {
    const { prices } = applied({ prices: [price(), price({ match: { model: 'm2' }, amount: '3' })] });
    expect(prices).toHaveLength(2);
    expect(
      applied({ prices }, { prices: [price({ match: { model: 'm2' }, amount: '3' })] }).prices,
    ).toHaveLength(2);
  });

  test('two prices from one instant conflict', () => {
    const row = price({ from: '2026-05-01T00:00:00Z' });
    const { prices } = applied({ prices: [row] });
    expect(conflictingRows(prices, catalog({ prices: [row] }).prices)).toEqual([]);
    expect(conflictingRows(prices, catalog({ prices: [{ ...row, amount: '9' }] }).prices)).toHaveLength(1);
  });
});
