import fc from 'fast-check';
import type { Nano } from '@tallygate/kernel';
import {
  amountArb as amount,
  featureArb as feature,
  histories,
  WalletHistory,
} from '../testing/wallet-history';
import { counting, hour, lotOf, walletOf, work } from '../testing/wallets';
import { chargeUsage } from './burn';
import { fold } from './entry';
import type { Entry } from './entry';
import { endOf, isClosed, mayPayFor } from './lot';
import type { Lot } from './lot';
import { debtOf, heldOf, outstanding } from './wallet';
import type { Wallet } from './wallet';

/** What contradicts the journal, or breaks a lot's bounds. */
function faultsOf({ wallet, journal }: WalletHistory): string[] {
  const { free, held, debt } = fold(journal);
  const sum = (of: (lot: Lot) => Nano): Nano => wallet.lots.reduce((total, lot) => total + of(lot), 0n);
  const faults: [boolean, string][] = [
    [sum((lot) => lot.remaining) !== free, 'free credit'],
    [sum((lot) => lot.held) !== held, 'held credit of lots'],
    [heldOf(wallet) !== held, 'held credit of holds'],
    [debtOf(wallet) !== debt, 'debt'],
    [wallet.lots.some((lot) => lot.remaining < 0n || lot.held < 0n), 'a lot below zero'],
    [wallet.lots.some((lot) => lot.remaining + lot.held > lot.amount), 'a lot above its amount'],
    [wallet.lots.some((lot) => isClosed(lot) && lot.remaining > 0n), 'credit in a closed lot'],
  ];
  return faults.filter(([broken]) => broken).map(([, name]) => name);
}

/** Lots that may repay an open debt and have not. */
function idleBesideDebt({ wallet, now }: WalletHistory): Lot[] {
  const open = wallet.debts.filter((debt) => outstanding(debt) > 0n);
  return wallet.lots.filter(
    (lot) =>
      !isClosed(lot) &&
      lot.remaining > 0n &&
      lot.effectiveAt <= now &&
      open.some((debt) => endOf(lot) > debt.occurredAt && mayPayFor(lot, debt.feature)),
  );
}

describe('any history of a wallet', () => {
  it('conserves credit: lots, holds and debts equal the fold of the journal, inside their bounds', () =>
    fc.assert(
      fc.property(histories, (steps) => {
        const history = new WalletHistory();
        const faults = steps.flatMap((one) => {
          history.run(one);
          return faultsOf(history);
        });
        expect(faults).toEqual([]);
      }),
      { numRuns: 2_000 },
    ));

  it('never leaves a debt beside credit that may repay it', () =>
    fc.assert(
      fc.property(histories, (steps) => {
        const history = new WalletHistory();
        const idle = steps.flatMap((one) => {
          history.run(one);
          return idleBesideDebt(history);
        });
        expect(idle).toEqual([]);
      }),
      { numRuns: 2_000 },
    ));

  it('ends the same whether time is noticed at every instant or only at the end', () =>
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 30 }), (steps, hours) => {
        const [punctual, late] = [new WalletHistory(), new WalletHistory()];
        for (const one of steps) {
          punctual.run(one);
          late.run(one);
        }
        for (let i = 0; i < hours; i += 1) punctual.run({ do: 'wait', hours: 1 });
        late.run({ do: 'wait', hours });
        expect(late.journal).toEqual(punctual.journal);
        expect(late.wallet.lots).toEqual(punctual.wallet.lots);
      }),
      { numRuns: 1_000 },
    ));
});

describe('a slice', () => {
  const usage = fc.array(fc.record({ feature, amount, at: fc.integer({ min: 0, max: 8 }) }), {
    maxLength: 30,
  });
  const lots = fc.array(
    fc.record({
      amount,
      start: fc.integer({ min: 0, max: 6 }),
      length: fc.option(fc.integer({ min: 1, max: 8 })),
      feature: fc.option(feature),
    }),
    { maxLength: 6 },
  );

  const walletWith = (
    issued: readonly { amount: Nano; start: number; length: number | null; feature: string | null }[],
  ) =>
    walletOf(
      ...issued.map((lot, i) =>
        lotOf({
          id: String(i),
          remaining: lot.amount,
          effectiveAt: hour(lot.start),
          expiresAt: lot.length === null ? null : hour(lot.start + lot.length),
          features: lot.feature === null ? null : [lot.feature],
        }),
      ),
    );

  it('leaves what its events would have left one by one', () =>
    fc.assert(
      fc.property(lots, usage, (issued, events) => {
        const [whole, single] = [walletWith(issued), walletWith(issued)];
        const charges = events.map((event) => ({ ...event, occurredAt: hour(event.at) }));
        const draft = work(whole, hour(8));
        for (const charge of charges) chargeUsage(draft, charge);
        const entries = charges.flatMap((charge, i) => {
          const one = work(single, hour(8), counting(`${String(i).padStart(3, '0')}-`));
          chargeUsage(one, charge);
          return one.entries;
        });
        expect(whole.lots).toEqual(single.lots);
        expect(debtOf(whole)).toBe(debtOf(single));
        expect(perLot(draft.entries)).toEqual(perLot(entries));
      }),
      { numRuns: 2_000 },
    ));

  it('of one feature and instant ends the same in any order', () =>
    fc.assert(
      fc.property(lots, fc.array(amount, { maxLength: 20 }), fc.integer(), (issued, amounts, seed) => {
        const shuffled = amounts
          .map((value, i) => ({ value, rank: (i * 7919 + seed) % 104_729 }))
          .sort((a, b) => a.rank - b.rank);
        const [first, second] = [walletWith(issued), walletWith(issued)];
        const charge = (wallet: Wallet, value: Nano) =>
          chargeUsage(work(wallet, hour(8)), { feature: 'a', amount: value, occurredAt: hour(5) });
        for (const value of amounts) charge(first, value);
        for (const { value } of shuffled) charge(second, value);
        expect(second.lots).toEqual(first.lots);
        expect(debtOf(second)).toBe(debtOf(first));
      }),
      { numRuns: 1_000 },
    ));
});

/** What each feature took from each lot, and what it came to owe. */
function perLot(entries: readonly Entry[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {};
  for (const entry of entries) {
    const name = `${entry.kind} ${entry.feature} ${entry.lotId}`;
    sums[name] = (sums[name] ?? 0n) + entry.free - entry.debt;
  }
  return sums;
}
