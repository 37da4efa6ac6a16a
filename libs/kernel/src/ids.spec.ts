import * as fc from 'fast-check';
import { isUuid, SequentialIds, uuidV7 } from './ids';
import { InvariantViolation } from './invariant';

const ones = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(0xff);

test('the example of RFC 9562', () => {
  const random = Uint8Array.from([0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
  expect(uuidV7(0x017f22e279b0, 0xcc3, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

test.each([
  [0, 0, 8, '00000000-0000-7000-bfff-ffffffffffff'],
  [2 ** 48 - 1, 0xfff, 8, 'ffffffff-ffff-7fff-bfff-ffffffffffff'],
])('the bounds: %p, %p', (millis, sequence, bytes, text) => {
  expect(uuidV7(millis, sequence, ones(bytes))).toBe(text);
});

test.each([
  [-1, 0, 8],
  [2 ** 48, 0, 8],
  [0.5, 0, 8],
  [0, -1, 8],
  [0, 0x1000, 8],
  [0, 0, 7],
])('parts that do not fit are bugs: %p, %p, %p bytes', (millis, sequence, bytes) => {
  expect(() => uuidV7(millis, sequence, ones(bytes))).toThrow(InvariantViolation);
});

test('a full sequence borrows the next millisecond, and the clock catches up without a repeat', () => {
  let now = 1000;
  const ids = new SequentialIds(() => now, ones);
  const made = Array.from({ length: 4097 }, () => ids.next());
  expect(made[4095]).toMatch(/^00000000-03e8-7fff-/);
  expect(made[4096]).toMatch(/^00000000-03e9-7000-/);
  now = 1001;
  expect(ids.next()).toMatch(/^00000000-03e9-7001-/);
  now = 1002;
  expect(ids.next()).toMatch(/^00000000-03ea-7000-/);
});

test('ids increase whatever the clock does', () => {
  const steps = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 2, maxLength: 200 });
  fc.assert(
    fc.property(steps, (moves) => {
      let now = 1_000_000;
      const ids = new SequentialIds(() => now, ones);
      const made = moves.map((move) => {
        now += move;
        return ids.next();
      });
      expect(made.every(isUuid)).toBe(true);
      expect([...new Set(made)].sort()).toEqual(made);
    }),
  );
});

test.each([
  ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f', true],
  ['017F22E2-79B0-7CC3-98C4-DC0C0C07398F', true],
  ['017f22e279b07cc398c4dc0c0c07398f', false],
  ['017f22e2-79b0-7cc3-98c4-dc0c0c07398g', false],
  ['017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n', false],
  ['', false],
  [7, false],
])('isUuid(%p) is %p', (text, expected) => {
  expect(isUuid(text)).toBe(expected);
});
