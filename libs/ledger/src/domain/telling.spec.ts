import { parseAmount } from '@tallygate/kernel';
import { isNews, marginBefore } from './telling';
import type { Margin } from './telling';

function left(...amounts: string[]): Margin {
  return {
    scope: '',
    left: amounts.map((text) => {
      const parsed = parseAmount(text);
      if (!parsed.ok) throw new TypeError(text);
      return parsed.value;
    }),
  };
}

it.each([
  ['nothing', '100', '100', false],
  ['a fiftieth exactly', '100', '98', false],
  ['a trifle more', '100', '97.999999999', true],
  ['as much upwards', '100', '102.000000001', true],
  ['anything once nothing is left', '0', '-0.000000001', true],
  ['little beside a debt', '-100', '-101', false],
  ['a debt that grows', '-100', '-103', true],
  ['across zero', '1', '-1', true],
])('a change of %s: %s to %s is news: %s', (_, told, now, news) => {
  expect(isNews(left(told), left(now))).toBe(news);
});

it('looks at the credit of each feature', () => {
  expect(isNews(left('100', '1'), left('100', '0.9'))).toBe(true);
  expect(isNews(left('100', '1'), left('99', '1'))).toBe(false);
});

it('takes another period, or other features, for news', () => {
  expect(isNews(left('100'), { ...left('100'), scope: 'next' })).toBe(true);
});

it('finds what was told from what was moved since', () => {
  expect(marginBefore(left('98', '-1'), -2_000_000_000n)).toEqual(left('100', '1'));
});
