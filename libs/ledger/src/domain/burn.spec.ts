import type { Lot } from './lot';
import { burnOrder } from './lot';
import { chargeUsage } from './burn';
import { debit } from './debit';
import { issueLot } from './grant';
import { debtOf } from './wallet';
import { emptyWallet, hour, lotOf, remainingOf, rowsOf, units, walletOf, work } from '../testing/wallets';

describe('burn order', () => {
  /** Each line burns before the next. */
  const inOrder: Lot[] = [
    lotOf({ id: 'z', priority: 1 }),
    lotOf({ id: 'y', expiresAt: hour(1) }),
    lotOf({ id: 'x', expiresAt: hour(2), features: ['a'] }),
    lotOf({ id: 'w', effectiveAt: hour(-1) }),
    lotOf({ id: 'a' }),
    lotOf({ id: 'b' }),
    lotOf({ id: 'v', kind: 'paid', effectiveAt: hour(-9) }),
    lotOf({ id: 'u', priority: 101, expiresAt: hour(1) }),
  ];

  it('is priority, end, kind, start, creation', () => {
    const sorted = [...inOrder].reverse().sort(burnOrder);
    expect(sorted.map((lot) => lot.id)).toEqual(inOrder.map((lot) => lot.id));
  });
});

describe('usage', () => {
  it('draws on the lots that were valid at its own time', () => {
    const wallet = walletOf(
      lotOf({ id: 'ended', expiresAt: hour(5) }),
      lotOf({ id: 'later', effectiveAt: hour(4) }),
      lotOf({ id: 'other', features: ['chat'], priority: 1 }),
      lotOf({ id: 'always', kind: 'paid' }),
    );
    const draft = work(wallet, hour(5.5));
    chargeUsage(draft, { feature: 'search', amount: units(12), occurredAt: hour(3) });
    expect(rowsOf(draft.entries)).toEqual([
      ['usage', 'ended', -10],
      ['usage', 'always', -2],
    ]);
    expect(remainingOf(wallet)).toEqual({ other: 10, ended: 0, later: 10, always: 8 });
  });

  it('becomes debt where credit ends, repaid by what started since and by what comes', () => {
    const wallet = walletOf(lotOf({ id: 'later', effectiveAt: hour(4), remaining: units(3) }));
    const draft = work(wallet, hour(5));
    chargeUsage(draft, { feature: 'search', amount: units(5), occurredAt: hour(3) });
    expect(rowsOf(draft.entries)).toEqual([
      ['debt', null, -5],
      ['repayment', 'later', -3],
    ]);
    expect(debtOf(wallet)).toBe(units(2));
    const grant = {
      kind: 'paid',
      priority: 100,
      effectiveAt: hour(5),
      expiresAt: null,
      features: null,
    } as const;
    issueLot(draft, { ...grant, grantId: 'g', grantKey: 'g', amount: units(7) });
    expect(debtOf(wallet)).toBe(0n);
    expect(remainingOf(wallet)).toEqual({ later: 0, g: 5 });
  });

  it('is not repaid by a lot that had ended by then, nor by one of another feature', () => {
    const wallet = walletOf(
      lotOf({ id: 'ended', expiresAt: hour(3) }),
      lotOf({ id: 'other', features: ['chat'] }),
    );
    const draft = work(wallet, hour(3.5));
    chargeUsage(draft, { feature: 'search', amount: units(5), occurredAt: hour(3) });
    expect(rowsOf(draft.entries)).toEqual([['debt', null, -5]]);
  });

  it('writes one row per feature and run of a lot, whatever stands between', () => {
    const wallet = walletOf(lotOf({ id: 'a', remaining: units(3) }), lotOf({ id: 'b' }));
    const draft = work(wallet, hour(1));
    for (const feature of ['x', 'y', 'x', 'y', 'x']) {
      chargeUsage(draft, { feature, amount: units(1), occurredAt: hour(1) });
    }
    expect(
      draft.entries.map(({ feature, grantKey, free }) => [feature, grantKey, Number(free) / 1e9]),
    ).toEqual([
      ['x', 'a', -2],
      ['y', 'a', -1],
      ['y', 'b', -1],
      ['x', 'b', -1],
    ]);
  });
});

describe('a requested debit', () => {
  // free credit, overdraft, earlier debt of another feature, amount, outcome
  it.each([
    [10, 0, 0, 10, 'debited'],
    [10, 0, 0, 10.001, 'insufficient_credit'],
    [10, 5, 0, 15, 'debited'],
    [10, 5, 0, 15.001, 'insufficient_credit'],
    [0, 5, 3, 2, 'debited'],
    [0, 5, 3, 2.001, 'insufficient_credit'],
  ])('%d free, overdraft %d, debt %d: %d is %s', (free, overdraft, owed, amount, outcome) => {
    const wallet = emptyWallet({ overdraft: units(overdraft) });
    const draft = work(wallet, hour(1));
    if (owed > 0) chargeUsage(draft, { feature: 'x', amount: units(owed), occurredAt: hour(1) });
    if (free > 0) wallet.lots.push(lotOf({ id: 'a', remaining: units(free) }));
    expect(debit(draft, { amount: units(amount), feature: null, reference: 'd' })).toBe(outcome);
  });

  it('takes unrestricted lots only, unless it names the feature', () => {
    const wallet = walletOf(lotOf({ id: 'a', features: ['x'] }));
    const draft = work(wallet, hour(1));
    expect(debit(draft, { amount: units(1), feature: null, reference: 'd' })).toBe('insufficient_credit');
    expect(debit(draft, { amount: units(1), feature: 'x', reference: 'd' })).toBe('debited');
  });
});
