import { instant, MICROS, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import {
  availableAt,
  balanceHeard,
  nextLook,
  purchase,
  purchaseDeclined,
  purchaseOpened,
  purchasePaid,
} from './auto-top-up';
import type { AutoTopUp, KnownBalance } from './auto-top-up';

const at = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
};
const NOW = at('2026-03-31T12:00:00Z');
const later = (hours: number) => instant(NOW + hours * MICROS.hour);
const holds = (available: bigint, version = 1): KnownBalance => ({
  version,
  segments: [{ from: instant(0), available }],
});
const rule = (more: Partial<AutoTopUp> = {}): AutoTopUp => ({
  customerId: 'c1',
  unit: 'USD',
  threshold: 10n,
  increment: 20n,
  target: null,
  cap: null,
  per: null,
  bought: 0n,
  boughtSince: null,
  openTopUpId: null,
  creditAwaited: null,
  declines: 0,
  stoppedBy: null,
  retryAt: null,
  ...more,
});
const opened = purchaseOpened(rule(), 't1', 20n, NOW, 'UTC');

describe('what is bought', () => {
  test.each([
    ['at the threshold nothing', {}, 10n, null],
    ['below it one increment', {}, 9n, 20n],
    ['a deep shortfall in one charge, rounded up', {}, -31n, 60n],
    ['to the target', { target: 50n }, 9n, 60n],
    [
      'to the target, without increment in what can be paid',
      { target: 50n, increment: null },
      9n,
      10_000_000n,
    ],
    ['to the target exactly in a credit unit', { target: 50n, increment: null, unit: 'credits' }, 9n, 41n],
    [
      'what is left of the cap',
      { cap: 25n, per: 'month', bought: 20n, boughtSince: at('2026-03-01T00:00:00Z') },
      0n,
      5n,
    ],
    [
      'nothing when the cap is used up',
      { cap: 20n, per: 'month', bought: 20n, boughtSince: at('2026-03-01T00:00:00Z') },
      0n,
      null,
    ],
    [
      'again in the next period of the cap',
      { cap: 20n, per: 'month', bought: 20n, boughtSince: at('2026-02-01T00:00:00Z') },
      0n,
      20n,
    ],
    ['nothing while one is open', { openTopUpId: 't1' }, 0n, null],
    ['nothing while the circuit is open', { stoppedBy: 'circuit' }, 0n, null],
    ['nothing before the back-off ends', { retryAt: later(1) }, 0n, null],
    ['again at its end', { retryAt: NOW }, 0n, 20n],
  ] as const)('%s', (_, more, available, amount) => {
    expect(purchase(rule(more), holds(available), NOW, 'UTC')).toBe(amount);
  });

  test('a wallet never heard of holds nothing', () => {
    expect(availableAt(null, NOW)).toBe(0n);
    expect(purchase(rule(), null, NOW, 'UTC')).toBe(20n);
  });
});

test('what was paid must show in the balance before anything more is bought', () => {
  const paid = purchasePaid(opened, 't1', 4n, NOW);
  expect(purchase(paid, holds(4n), NOW, 'UTC')).toBeNull();
  expect(purchase(paid, holds(3n, 2), NOW, 'UTC')).toBeNull();
  expect(purchase(paid, holds(9n, 3), NOW, 'UTC')).toBe(20n);
  expect(purchase(paid, holds(4n), later(1), 'UTC')).toBe(20n);
});

test('once it showed, a lower balance is a new shortfall at once', () => {
  const paid = purchasePaid(opened, 't1', 4n, NOW);
  expect(balanceHeard(paid, holds(4n), NOW)).toBe(paid);
  const shown = balanceHeard(paid, holds(24n, 2), NOW);
  expect(purchase(shown, holds(-17n, 3), NOW, 'UTC')).toBe(40n);
});

test('declines back off 1 h, then 2 h; the third opens the circuit, which a paid one closes', () => {
  const t1 = { id: 't1', amount: 20n };
  const once = purchaseDeclined(opened, t1, false, NOW);
  expect([once.retryAt, once.bought, nextLook(once, holds(0n), NOW, 'UTC')]).toEqual([
    later(1),
    0n,
    later(1),
  ]);
  const twice = purchaseDeclined(purchaseOpened(once, 't1', 20n, later(1), 'UTC'), t1, false, later(1));
  expect(twice.retryAt).toBe(later(3));
  const thrice = purchaseDeclined(purchaseOpened(twice, 't1', 20n, later(3), 'UTC'), t1, false, later(3));
  expect([thrice.stoppedBy, nextLook(thrice, holds(0n), later(3), 'UTC')]).toEqual(['circuit', null]);
  expect(purchasePaid(thrice, 'other', 0n, later(4))).toMatchObject({ stoppedBy: null, declines: 0 });
  expect(purchaseDeclined(opened, t1, true, NOW).stoppedBy).toBe('hard_decline');
  expect(purchaseDeclined(opened, { id: 'other', amount: 1n }, true, NOW)).toBe(opened);
});

test('it looks again when the balance is known to change and when the cap renews', () => {
  const falls = {
    version: 1,
    segments: [
      { from: instant(0), available: 50n },
      { from: later(5), available: 0n },
    ],
  };
  expect(nextLook(rule(), falls, NOW, 'UTC')).toBe(later(5));
  expect(purchase(rule(), falls, later(5), 'UTC')).toBe(20n);
  const capped = rule({ cap: 20n, per: 'day', bought: 20n, boughtSince: at('2026-03-31T00:00:00Z') });
  expect(nextLook(capped, holds(0n), NOW, 'UTC')).toBe(at('2026-04-01T00:00:00Z'));
  expect(nextLook(rule(), holds(50n), NOW, 'UTC')).toBeNull();
});
