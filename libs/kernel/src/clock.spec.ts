import { Clock, ManualClock, SystemClock } from './clock';
import { instant } from './instant';
import { InvariantViolation } from './invariant';

test('the system clock reads whole milliseconds of now', () => {
  const before = Date.now() * 1000;
  const now = new SystemClock().now();
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(Date.now() * 1000);
});

test('a manual clock stands still, is set either way, and advances forward only', () => {
  const clock = new ManualClock(instant(10));
  expect([clock.now(), clock.now(), clock instanceof Clock]).toEqual([10, 10, true]);
  clock.advance(5);
  expect(clock.now()).toBe(15);
  clock.set(instant(3));
  expect(clock.now()).toBe(3);
  expect(() => clock.advance(-1)).toThrow(InvariantViolation);
});
