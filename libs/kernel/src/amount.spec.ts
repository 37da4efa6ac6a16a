import {
  divideHalfEven,
  formatAmount,
  maxNano,
  minNano,
  multiplyHalfEven,
  NANO,
  parseAmount,
  parsePositiveAmount,
  parseQuantity,
  sumNano,
} from './amount';
import type { DecimalFault } from './amount';
import { InvariantViolation } from './invariant';

type Expected = bigint | DecimalFault['code'];

const outcome = (parsed: ReturnType<typeof parseAmount>): Expected =>
  parsed.ok ? parsed.value : parsed.error.code;

const MOST = `1${'0'.repeat(27)}`;

describe('parseAmount', () => {
  test.each<[unknown, Expected]>([
    ['0', 0n],
    ['-0', 0n],
    ['12.5', 12_500_000_000n],
    ['-3', -3_000_000_000n],
    ['0.000000001', 1n],
    ['-0.000000001', -1n],
    ['007', 7_000_000_000n],
    ['1.000000000', NANO],
    ['999999.999999999', 999_999_999_999_999n],
    ['1000000.000000001', 1_000_000_000_000_001n],
    [MOST, 10n ** 36n],
    [`-${MOST}`, -(10n ** 36n)],
    [`${MOST}.000000001`, 'out_of_range'],
    [`-${MOST}.000000001`, 'out_of_range'],
    ['0.0000000001', 'too_many_decimals'],
    ['1.0000000000', 'too_many_decimals'],
    ['1e3', 'exponent_not_allowed'],
    ['-1.5E-7', 'exponent_not_allowed'],
    ['1e', 'not_a_decimal'],
    ['', 'not_a_decimal'],
    ['-', 'not_a_decimal'],
    ['+1', 'not_a_decimal'],
    ['--1', 'not_a_decimal'],
    ['.5', 'not_a_decimal'],
    ['5.', 'not_a_decimal'],
    ['1.2.3', 'not_a_decimal'],
    ['1,5', 'not_a_decimal'],
    ['1_000', 'not_a_decimal'],
    [' 1', 'not_a_decimal'],
    ['1\n', 'not_a_decimal'],
    ['0x10', 'not_a_decimal'],
    ['١', 'not_a_decimal'],
    ['NaN', 'not_a_decimal'],
    ['Infinity', 'not_a_decimal'],
    ['9'.repeat(129), 'not_a_decimal'],
    [1, 'not_a_decimal'],
    [1n, 'not_a_decimal'],
    [null, 'not_a_decimal'],
    [undefined, 'not_a_decimal'],
    [['1'], 'not_a_decimal'],
  ])('%p is %p', (text, expected) => {
    expect(outcome(parseAmount(text))).toEqual(expected);
  });

  test('a fault repeats the value, shortened, and says what to send', () => {
    expect(parseAmount('1e3')).toEqual({
      ok: false,
      error: {
        code: 'exponent_not_allowed',
        value: '1e3',
        fix: 'Write the digits out, without an exponent.',
      },
    });
    const long = parseAmount('x'.repeat(100_000));
    expect(!long.ok && long.error.value.length).toBe(65);
  });
});

describe('parsePositiveAmount', () => {
  test.each<[unknown, Expected]>([
    ['0.000000001', 1n],
    ['0', 'out_of_range'],
    ['-0', 'out_of_range'],
    ['-1', 'negative'],
    ['one', 'not_a_decimal'],
  ])('%p is %p', (text, expected) => {
    expect(outcome(parsePositiveAmount(text))).toEqual(expected);
  });
});

describe('parseQuantity', () => {
  test.each<[unknown, Expected]>([
    [0, 0n],
    [-0, 0n],
    ['0', 0n],
    [1, NANO],
    [0.1, 100_000_000n],
    [1.005, 1_005_000_000n],
    [1e-7, 100n],
    [1.5e-8, 15n],
    [1e-9, 1n],
    [1e-10, 'too_many_decimals'],
    [5e-324, 'too_many_decimals'],
    [0.1 + 0.2, 'too_many_decimals'],
    [Number.MAX_SAFE_INTEGER, 9_007_199_254_740_991n * NANO],
    [Number.MAX_SAFE_INTEGER + 1, 'inexact_number'],
    [1e21, 'inexact_number'],
    [-1e21, 'inexact_number'],
    [NaN, 'not_a_decimal'],
    [Infinity, 'not_a_decimal'],
    [-1, 'negative'],
    [-1e-7, 'negative'],
    ['-1', 'negative'],
    ['9007199254740993', 9_007_199_254_740_993n * NANO],
    [MOST, 10n ** 36n],
    [`${MOST}.1`, 'out_of_range'],
    ['1e-7', 'exponent_not_allowed'],
    [true, 'not_a_decimal'],
    [{}, 'not_a_decimal'],
  ])('%p is %p', (value, expected) => {
    expect(outcome(parseQuantity(value))).toEqual(expected);
  });

  test('a negative quantity is pointed to a correction, an inexact number to a string', () => {
    const negative = parseQuantity(-2);
    const inexact = parseQuantity(2 ** 53);
    expect(!negative.ok && negative.error.fix).toContain('correction');
    expect(!inexact.ok && inexact.error.fix).toContain('string');
  });
});

describe('formatAmount', () => {
  test.each([
    [0n, '0'],
    [2_000_000n, '0.002'],
    [-3_000_000_000n, '-3'],
    [-1n, '-0.000000001'],
    [10_500_000_000n, '10.5'],
    [9_007_199_254_740_991n, '9007199.254740991'],
    [9_007_199_254_740_992n, '9007199.254740992'],
    [10n ** 36n, MOST],
    [10n ** 36n + 10n, `${MOST}.00000001`],
  ])('%p is %p', (nano, text) => {
    expect(formatAmount(nano)).toBe(text);
  });
});

describe('rounding', () => {
  test.each([
    [5n, 2n, 2n],
    [7n, 2n, 4n],
    [-5n, 2n, -2n],
    [-7n, 2n, -4n],
    [5n, -2n, -2n],
    [-7n, -2n, 4n],
    [1n, 3n, 0n],
    [2n, 3n, 1n],
    [-2n, 3n, -1n],
    [1n, 2n, 0n],
    [-1n, 2n, 0n],
    [3n, 2n, 2n],
    [6n, 3n, 2n],
    [0n, 7n, 0n],
  ])('%p / %p is %p', (numerator, denominator, expected) => {
    expect(divideHalfEven(numerator, denominator)).toBe(expected);
  });

  test('a zero denominator is a bug', () => {
    expect(() => divideHalfEven(1n, 0n)).toThrow(InvariantViolation);
  });

  test.each([
    [3n * NANO, 2_000_000n, 6_000_000n],
    [500_000_000n, 1n, 0n],
    [500_000_000n, 3n, 2n],
    [-500_000_000n, 3n, -2n],
    [500_000_001n, 1n, 1n],
  ])('%p × %p is %p', (quantity, price, expected) => {
    expect(multiplyHalfEven(quantity, price)).toBe(expected);
  });
});

test('least, most and sum', () => {
  expect([minNano(1n, -1n), maxNano(1n, -1n)]).toEqual([-1n, 1n]);
  expect([sumNano([]), sumNano(new Set([10n ** 40n, 1n]))]).toEqual([0n, 10n ** 40n + 1n]);
});
