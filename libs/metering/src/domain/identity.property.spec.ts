import fc from 'fast-check';
import { canonicalJson } from './json';
import type { JsonObject } from './json';
import { compareDecimals, decimalOf } from './decimal';
import { payloadText } from './identity';
import type { UsageEvent } from './usage-event';

const data = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<JsonObject>;
const event = fc.record({
  id: fc.string(),
  source: fc.string(),
  type: fc.string(),
  subject: fc.string(),
  time: fc.option(fc.integer()),
  data,
}) as fc.Arbitrary<UsageEvent>;

/** The same value with the names of every object in another order. */
function reordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reordered);
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, part]) => [name, reordered(part)]),
  );
}

describe('canonicalJson', () => {
  test('is JSON of the same value', () => {
    fc.assert(
      fc.property(data, (value) =>
        expect(JSON.parse(canonicalJson(value) ?? '')).toEqual(JSON.parse(JSON.stringify(value))),
      ),
    );
  });

  test('does not depend on the order of names', () => {
    fc.assert(
      fc.property(data, (value) => expect(canonicalJson(reordered(value))).toBe(canonicalJson(value))),
    );
  });

  test('is the form of RFC 8785', () => {
    const value = JSON.parse(
      '{"peach":1.0,"p\\u00eache":[1E2,0.000001,1e-7,-0],"\\u20ac":"\\u000a","1":{"b":null,"a":true}}',
    ) as unknown;
    expect(canonicalJson(value)).toBe(
      '{"1":{"a":true,"b":null},"peach":1,"pêche":[100,0.000001,1e-7,0],"€":"\\n"}',
    );
  });
});

describe('payloadText', () => {
  test('is the same exactly for equal payloads', () => {
    fc.assert(
      fc.property(event, event, (one, other) => {
        const parts = ({ type, subject, time, data: d }: UsageEvent) =>
          JSON.stringify([type, subject, time, canonicalJson(d)]);
        expect(payloadText(one) === payloadText(other)).toBe(parts(one) === parts(other));
      }),
    );
  });

  test('does not move text from one field to the next', () => {
    const base = { id: '', source: '', time: null, data: {} };
    expect(payloadText({ ...base, type: 'a"', subject: 'b' })).not.toBe(
      payloadText({ ...base, type: 'a', subject: '"b' }),
    );
  });

  test('leaves the identity itself out', () => {
    fc.assert(
      fc.property(event, (one) =>
        expect(payloadText({ ...one, id: 'x', source: 'y' })).toBe(payloadText(one)),
      ),
    );
  });
});

describe('compareDecimals', () => {
  const order = (a: unknown, b: unknown) => {
    const [one, other] = [decimalOf(a), decimalOf(b)];
    if (one === null || other === null) throw new Error('not a decimal');
    return Math.sign(compareDecimals(one, other));
  };

  test('agrees with doubles on numbers', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, number, (a, b) =>
        expect(order(a, b)).toBe(a === b ? 0 : Math.sign(a - b) || (a < b ? -1 : 1)),
      ),
    );
  });

  test('calls equal negative numbers equal by the one zero there is', () => {
    expect(order(-3.5e-323, -3.5e-323)).toBe(0);
    expect(order('-12.50', -12.5)).toBe(0);
  });

  test('agrees with bigint on texts of digits, whatever their scale', () => {
    const scaled = (n: bigint) =>
      `${n < 0n ? '-' : ''}${String(n < 0n ? -n : n)
        .padStart(31, '0')
        .replace(/(\d{30})$/, '.$1')}`;
    const integer = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
    fc.assert(
      fc.property(integer, integer, (a, b) =>
        expect(order(scaled(a), scaled(b))).toBe(a === b ? 0 : a < b ? -1 : 1),
      ),
    );
  });
});
