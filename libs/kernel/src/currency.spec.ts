import { minorDigits, roundToMinor } from './currency';

test.each([
  ['EUR', 2],
  ['USD', 2],
  ['JPY', 0],
  ['KRW', 0],
  ['VND', 0],
  ['KWD', 3],
  ['TND', 3],
  ['CLF', 4],
  ['eur', 9],
  ['tokens', 9],
  ['GPU', 9],
  ['XAU', 9],
  ['', 9],
  ['constructor', 9],
])('%p has %p minor digits', (currency, digits) => {
  expect(minorDigits(currency)).toBe(digits);
});

test.each([
  ['EUR', 1_005_000_000n, 1_000_000_000n],
  ['EUR', 1_015_000_000n, 1_020_000_000n],
  ['EUR', -1_015_000_000n, -1_020_000_000n],
  ['EUR', 1_005_000_001n, 1_010_000_000n],
  ['JPY', 2_500_000_000n, 2_000_000_000n],
  ['KWD', 1_234_500_000n, 1_234_000_000n],
  ['tokens', 1n, 1n],
])('%s: %p rounds to %p', (currency, amount, rounded) => {
  expect(roundToMinor(amount, currency)).toEqual({ rounded, remainder: amount - rounded });
});
