import fc from 'fast-check';
import type { Instant, Nano } from '@tallygate/kernel';
import { chargeUsage } from './burn';
import { debit } from './debit';
import { settleDue } from './due';
import { fold } from './entry';
import type { Entry } from './entry';
import { issueLot, voidGrant } from './grant';
import { capture, release, reserve } from './hold';
import { endOf, isClosed, mayPayFor } from './lot';
import type { Lot } from './lot';
import { debtOf, heldOf, outstanding } from './wallet';
import type { Wallet, WalletDraft } from './wallet';
import { counting, emptyWallet, hour, lotOf, units, walletOf, work } from '../testing/wallets';

type Step =
  | {
      do: 'grant';
      amount: Nano;
      start: number;
      length: number | null;
      priority: number;
      feature: string | null;
    }
  | { do: 'use'; amount: Nano; feature: string; ago: number }
  | { do: 'debit'; amount: Nano; feature: string | null }
  | { do: 'hold'; amount: Nano; ttl: number }
  | { do: 'capture' | 'release'; which: number; amount: Nano }
  | { do: 'void'; which: number }
  | { do: 'wait'; hours: number };

const amount = fc.bigInt({ min: 1n, max: 20_000n }).map((milli) => milli * 1_000_000n);
const feature = fc.constantFrom('a', 'b');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('grant' as const),
    amount,
    start: fc.integer({ min: -3, max: 5 }),
    length: fc.option(fc.integer({ min: 4, max: 12 })),
    priority: fc.integer({ min: 99, max: 101 }),
    feature: fc.option(feature),
  }),
  fc.record({ do: fc.constant('use' as const), amount, feature, ago: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ do: fc.constant('debit' as const), amount, feature: fc.option(feature) }),
  fc.record({ do: fc.constant('hold' as const), amount, ttl: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constantFrom('capture' as const, 'release' as const), which: fc.nat(2), amount }),
  fc.record({ do: fc.constant('void' as const), which: fc.nat(2) }),
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 0, max: 4 }) }),
);

/** Runs a history as the services do: every step opens the wallet anew, lets pass what was due, and acts. */
class History {
  readonly journal: Entry[] = [];
  now: Instant = hour(0);
  private readonly newId = counting();
  private grants = 0;

  constructor(readonly wallet: Wallet = emptyWallet({ overdraft: units(3) })) {}

  run(action: Step): void {
    if (action.do === 'wait') this.now = (this.now + hour(action.hours)) as Instant;
    const draft = work(this.wallet, this.now, this.newId);
    settleDue(draft);
    if (action.do !== 'wait') this.act(draft, action);
    this.journal.push(...draft.entries);
  }

  private act(draft: WalletDraft, action: Exclude<Step, { do: 'wait' }>): void {
    switch (action.do) {
      case 'grant':
        return this.grant(draft, action);
      case 'use':
        return chargeUsage(draft, { ...action, occurredAt: (this.now - hour(action.ago)) as Instant });
      case 'debit':
        return void debit(draft, { ...action, reference: 'd' });
      case 'hold':
        return void reserve(draft, {
          key: this.newId(),
          amount: action.amount,
          feature: null,
          expiresAt: (this.now + hour(action.ttl)) as Instant,
        });
      case 'capture':
      case 'release': {
        const hold = this.wallet.holds[action.which];
        if (hold === undefined) return;
        return void (action.do === 'capture' ? capture(draft, hold, action.amount) : release(draft, hold));
      }
      case 'void': {
        const lot = this.wallet.lots[action.which];
        return lot === undefined
          ? undefined
          : void voidGrant(draft, lot.grantId, [lot], lot.state === 'voided');
      }
    }
  }

  private grant(draft: WalletDraft, action: Extract<Step, { do: 'grant' }>): void {
    const effectiveAt = (this.now + hour(action.start)) as Instant;
    const expiresAt = action.length === null ? null : ((effectiveAt + hour(action.length)) as Instant);
    this.grants += 1;
    issueLot(draft, {
      grantId: `g${this.grants}`,
      grantKey: `g${this.grants}`,
      kind: 'promotional',
      priority: action.priority,
      effectiveAt,
      expiresAt,
      features: action.feature === null ? null : [action.feature],
      amount: action.amount,
    });
  }
}

/** Long enough that holds, debts and ends meet. */
const histories = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' });

/** What contradicts the journal, or breaks a lot's bounds. */
function faultsOf({ wallet, journal }: History): string[] {
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
function idleBesideDebt({ wallet, now }: History): Lot[] {
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
        const history = new History();
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
        const history = new History();
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
        const [punctual, late] = [new History(), new History()];
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
