import * as fc from 'fast-check';
import {
  divideHalfEven,
  formatAmount,
  multiplyHalfEven,
  NANO,
  parseAmount,
  parseQuantity,
  sumNano,
} from './amount';
import { minorDigits, roundToMinor } from './currency';

const LIMIT = 10n ** 36n;
const nano = fc.oneof(
  fc.bigInt({ min: -LIMIT, max: LIMIT }),
  fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }),
);
const nonZero = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).filter((n) => n !== 0n);
const runs = { numRuns: 2000 };

const abs = (n: bigint): bigint => (n < 0n ? -n : n);

/** By definition: the nearest multiple, and of two equally near ones the even. */
const isHalfEven = (result: bigint, numerator: bigint, denominator: bigint): boolean => {
  const distance = 2n * abs(numerator - result * denominator);
  return distance < abs(denominator) || (distance === abs(denominator) && result % 2n === 0n);
};

/** Reads digits one by one, sharing nothing with the parser. */
const oracle = (text: string): bigint => {
  const digits = text.replace('-', '');
  const point = digits.indexOf('.');
  const decimals = point < 0 ? 0 : digits.length - point - 1;
  const size = [...digits.replace('.', '')].reduce((sum, digit) => sum * 10n + BigInt(digit), 0n);
  return (text.startsWith('-') ? -1n : 1n) * size * 10n ** BigInt(9 - decimals);
};

const decimal = fc
  .tuple(fc.constantFrom('', '-'), fc.stringMatching(/^\d{1,26}$/), fc.stringMatching(/^(\.\d{1,9})?$/))
  .map((parts) => parts.join(''));

test('an amount survives its text', () => {
  fc.assert(
    fc.property(nano, (n) => {
      expect(parseAmount(formatAmount(n))).toEqual({ ok: true, value: n });
    }),
    runs,
  );
});

test('a text is the shortest of its amount', () => {
  fc.assert(
    fc.property(nano, (n) => {
      expect(formatAmount(n)).toMatch(/^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d{0,8}[1-9])$/);
    }),
    runs,
  );
});

test('every decimal reads as its digits say', () => {
  fc.assert(
    fc.property(decimal, (text) => {
      expect(parseAmount(text)).toEqual({ ok: true, value: oracle(text) });
    }),
    runs,
  );
});

test('anything else is refused with a fault, never thrown', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const parsed = parseQuantity(value);
      expect(parsed.ok ? parsed.value >= 0n : parsed.error.fix !== '').toBe(true);
    }),
    runs,
  );
});

test('a number of at most 9 decimals reads as its text does', () => {
  const short = fc.tuple(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(short, ([digits, decimals]) => {
      const text = formatAmount(BigInt(digits) * 10n ** BigInt(9 - decimals));
      expect(parseQuantity(Number(text))).toEqual(parseAmount(text));
    }),
    runs,
  );
});

test('division is half-even', () => {
  fc.assert(
    fc.property(nano, nonZero, (n, d) => {
      expect(isHalfEven(divideHalfEven(n, d), n, d)).toBe(true);
    }),
    runs,
  );
});

test('ties go to the even neighbour', () => {
  fc.assert(
    fc.property(nano, nonZero, (n, d) => {
      const tie = divideHalfEven((2n * n + 1n) * d, 2n * d);
      expect([n, n + 1n].filter((neighbour) => neighbour % 2n === 0n)).toEqual([tie]);
    }),
    runs,
  );
});

test('a product is half-even, symmetric, odd in sign and exact for whole quantities', () => {
  fc.assert(
    fc.property(nano, nano, (q, p) => {
      const product = multiplyHalfEven(q, p);
      expect(isHalfEven(product, q * p, NANO)).toBe(true);
      expect(multiplyHalfEven(p, q)).toBe(product);
      expect(multiplyHalfEven(-q, p)).toBe(-product);
      expect(multiplyHalfEven(q * NANO, p)).toBe(q * p);
    }),
    runs,
  );
});

test('rounding to a minor unit loses nothing and leaves at most half a unit', () => {
  fc.assert(
    fc.property(nano, fc.constantFrom('EUR', 'JPY', 'KWD', 'CLF', 'tokens'), (amount, currency) => {
      const { rounded, remainder } = roundToMinor(amount, currency);
      const unit = 10n ** BigInt(9 - minorDigits(currency));
      expect([rounded + remainder, rounded % unit]).toEqual([amount, 0n]);
      expect(isHalfEven(rounded / unit, amount, unit)).toBe(true);
      expect(roundToMinor(rounded, currency)).toEqual({ rounded, remainder: 0n });
    }),
    runs,
  );
});

test('a carried remainder makes the lines sum to the rounded total', () => {
  fc.assert(
    fc.property(fc.array(nano, { minLength: 1, maxLength: 20 }), (lines) => {
      let carried = 0n;
      const billed = lines.map((line) => {
        const { rounded, remainder } = roundToMinor(line + carried, 'EUR');
        carried = remainder;
        return rounded;
      });
      expect(sumNano(billed) + carried).toBe(sumNano(lines));
    }),
  );
});
