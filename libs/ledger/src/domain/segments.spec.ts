import { chargeUsage } from './burn';
import { settleDue } from './due';
import { segmentsOf } from './segments';
import { hour, lotOf, units, walletOf, work } from '../testing/wallets';

describe('segments', () => {
  it('say what is available from each start and end on', () => {
    const wallet = walletOf(
      lotOf({ id: 'now', expiresAt: hour(5) }),
      lotOf({ id: 'next', effectiveAt: hour(3), expiresAt: hour(6), state: 'pending', remaining: units(4) }),
      lotOf({ id: 'chat', features: ['chat'], expiresAt: hour(5), remaining: units(1) }),
    );
    expect(
      segmentsOf(wallet, hour(1)).map(({ from, available, byFeature, expired }) => [
        from,
        available,
        byFeature,
        expired,
      ]),
    ).toEqual([
      ['1970-01-01T01:00:00Z', '10', { chat: '11' }, false],
      ['1970-01-01T03:00:00Z', '14', { chat: '15' }, false],
      ['1970-01-01T05:00:00Z', '4', { chat: '4' }, false],
      ['1970-01-01T06:00:00Z', '0', { chat: '0' }, true],
    ]);
  });

  it('let what starts repay debt first', () => {
    const wallet = walletOf(lotOf({ id: 'next', effectiveAt: hour(3), state: 'pending' }));
    const draft = work(wallet, hour(1));
    chargeUsage(draft, { feature: 'chat', amount: units(4), occurredAt: hour(1) });
    expect(segmentsOf(wallet, hour(1)).map(({ available, byFeature }) => [available, byFeature])).toEqual([
      ['-4', { chat: '-4' }],
      ['6', {}],
    ]);
    expect(wallet.lots[0]?.remaining).toBe(units(10));
  });

  // used before the end at hour 2, expired afterwards
  it.each([
    [9, true],
    [10, false],
  ])('tell an end by expiry from an end by use: %d of 10 used', (used, expired) => {
    const wallet = walletOf(lotOf({ id: 'a', expiresAt: hour(2) }));
    const draft = work(wallet, hour(1));
    chargeUsage(draft, { feature: 'chat', amount: units(used), occurredAt: hour(1) });
    expect(segmentsOf(wallet, hour(2.5))[0]).toMatchObject({ available: '0', expired });
    const late = work(wallet, hour(4));
    settleDue(late);
    expect(segmentsOf(wallet, hour(4))[0]).toMatchObject({ available: '0', expired });
  });

  it('tell an end by use when credit came in the instant of an expiry and was used up', () => {
    const wallet = walletOf(
      lotOf({ id: 'a', expiresAt: hour(2) }),
      lotOf({ id: 'b', effectiveAt: hour(2), remaining: units(3) }),
    );
    chargeUsage(work(wallet, hour(2)), { feature: 'chat', amount: units(3), occurredAt: hour(2) });
    expect(segmentsOf(wallet, hour(2))[0]).toMatchObject({ available: '0', expired: false });
  });
});
