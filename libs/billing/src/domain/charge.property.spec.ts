import { instant, MICROS, roundToMinor, sumNano } from '@tallygate/kernel';
import fc from 'fast-check';
import { prorate } from './amounts';
import { chargeOf } from './charge';
import type { Discount } from './subscription';

const amounts = fc.bigInt({ min: 0n, max: 10n ** 18n });
const START = instant(1_767_225_600_000_000);
const lengths = fc.integer({ min: 1, max: 366 * 24 * 3600 }).map((seconds) => seconds * MICROS.second);
const currencies = fc.constantFrom('USD', 'JPY', 'KWD', 'credits');
const discounts = fc.option(
  fc.record({
    coupon: fc.constant('c'),
    percent: fc.option(fc.integer({ min: 0, max: 100 }).map(String)),
    amount: fc.option(fc.integer({ min: 0, max: 1_000_000 }).map(String)),
    periodsLeft: fc.constant(null),
  }),
);

const charged = (amount: bigint, currency: string, discount: Discount | null, carry: bigint) =>
  chargeOf(
    {
      purpose: 'period',
      anchor: START,
      period: { start: START, end: instant(START + MICROS.day) },
      from: START,
      amount,
      description: 'Plan p',
      currency,
      zone: 'UTC',
    },
    discount,
    carry,
  );

describe('proration', () => {
  test('is all at the start, nothing at the end, and never more than before', () => {
    fc.assert(
      fc.property(amounts, lengths, fc.double({ min: 0, max: 1, noNaN: true }), (amount, length, share) => {
        const period = { start: START, end: instant(START + length) };
        const from = instant(START + Math.floor(length * share));
        const part = prorate(amount, period, from);
        expect(part >= 0n && part <= amount).toBe(true);
        expect(prorate(amount, period, period.start)).toBe(amount);
        expect(prorate(amount, period, period.end)).toBe(0n);
        expect(prorate(amount, period, instant(Math.min(from + 1, period.end))) <= part).toBe(true);
      }),
    );
  });

  test('two shares of a period make the whole, to one unit of rounding', () => {
    fc.assert(
      fc.property(amounts, lengths, fc.double({ min: 0, max: 1, noNaN: true }), (amount, length, share) => {
        const cut = instant(START + Math.floor(length * share));
        const late = prorate(amount, { start: START, end: instant(START + length) }, cut);
        const early = amount - late;
        const exact = (Number(amount) * (cut - START)) / length;
        expect(Math.abs(Number(early) - exact)).toBeLessThanOrEqual(1 + exact * 1e-9);
      }),
    );
  });
});

describe('an invoice', () => {
  test('sums to its lines, in whole minor units, and is never negative', () => {
    fc.assert(
      fc.property(amounts, currencies, discounts, (amount, currency, discount) => {
        const { lines, total } = charged(amount, currency, discount, 0n);
        expect(total).toBe(sumNano(lines.map((line) => line.amount)));
        expect(total >= 0n).toBe(true);
        for (const line of lines) expect(roundToMinor(line.amount, currency).remainder).toBe(0n);
      }),
    );
  });

  test('carries what rounding left: over many periods not a nano is lost', () => {
    fc.assert(
      fc.property(fc.array(amounts, { minLength: 1, maxLength: 24 }), currencies, (fees, currency) => {
        let carry = 0n;
        let invoiced = 0n;
        for (const fee of fees) {
          const charge = charged(fee, currency, null, carry);
          carry = charge.carry;
          invoiced += charge.total;
        }
        expect(invoiced + carry).toBe(sumNano(fees));
      }),
    );
  });
});
