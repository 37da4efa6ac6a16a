import { assertNever, invariant, InvariantViolation } from './invariant';
import { err, ok } from './result';

test('a broken rule throws its own kind of error', () => {
  expect(() => invariant(0, 'no zero')).toThrow(new InvariantViolation('no zero'));
  expect(() => invariant('x', 'fine')).not.toThrow();
  expect(new InvariantViolation('m')).toMatchObject({ name: 'InvariantViolation', message: 'm' });
});

test('an unhandled case throws', () => {
  expect(() => assertNever('late' as never)).toThrow('Unhandled case: late');
});

test('a result is one or the other', () => {
  expect([ok(1), err('no')]).toEqual([
    { ok: true, value: 1 },
    { ok: false, error: 'no' },
  ]);
});
