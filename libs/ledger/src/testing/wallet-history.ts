import fc from 'fast-check';
import type { Instant, Nano } from '@tallygate/kernel';
import { capture, chargeUsage, debit, issueLot, release, reserve, settleDue, voidGrant } from '../domain';
import type { Entry, Hold, Rollover, Wallet, WalletDraft } from '../domain';
import { counting, emptyWallet, hour, units, work } from './wallets';

interface Terms {
  readonly amount: Nano;
  /** Hours from now; negative: begun before. */
  readonly start: number;
  /** Hours; null: never ends. */
  readonly length: number | null;
  readonly priority: number;
  readonly paid: boolean;
  readonly feature: string | null;
}

/** What somebody does to a wallet; `which` counts what there is of its kind. */
export type Step =
  | ({ readonly do: 'grant' } & Terms)
  | ({ readonly do: 'series'; readonly every: number; readonly rollover: Rollover | null } & Terms)
  | { readonly do: 'use'; readonly amount: Nano; readonly feature: string; readonly ago: number }
  | { readonly do: 'debit'; readonly amount: Nano; readonly feature: string | null }
  | {
      readonly do: 'hold';
      readonly amount: Nano;
      readonly feature: string | null;
      readonly hours: number;
    }
  | { readonly do: 'capture' | 'release'; readonly which: number; readonly amount: Nano }
  | { readonly do: 'void'; readonly which: number }
  | { readonly do: 'wait'; readonly hours: number };

export const amountArb = fc.bigInt({ min: 1n, max: 20_000n }).map((milli) => milli * 1_000_000n);
export const featureArb = fc.constantFrom('a', 'b');

const optionalFeature = fc.option(featureArb);
const terms = {
  amount: amountArb,
  length: fc.option(fc.integer({ min: 4, max: 12 })),
  priority: fc.integer({ min: 99, max: 101 }),
  paid: fc.boolean(),
  feature: optionalFeature,
};
const rollover = fc
  .tuple(amountArb, fc.option(amountArb))
  .map(([min, more]) => ({ min, max: more === null ? null : min + more }));

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('grant' as const), start: fc.integer({ min: -3, max: 5 }), ...terms }),
  fc.record({
    do: fc.constant('series' as const),
    start: fc.integer({ min: 0, max: 4 }),
    every: fc.integer({ min: 1, max: 5 }),
    rollover: fc.option(rollover),
    ...terms,
  }),
  fc.record({
    do: fc.constant('use' as const),
    amount: amountArb,
    feature: featureArb,
    ago: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({ do: fc.constant('debit' as const), amount: amountArb, feature: optionalFeature }),
  fc.record({
    do: fc.constant('hold' as const),
    amount: amountArb,
    feature: optionalFeature,
    hours: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    do: fc.constantFrom('capture' as const, 'release' as const),
    which: fc.nat(2),
    amount: amountArb,
  }),
  fc.record({ do: fc.constant('void' as const), which: fc.nat(2) }),
  fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 0, max: 4 }) }),
);

/** Long enough that holds, debts and ends meet. */
export const histories = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' });

export const OVERDRAFT = units(3);

/** Runs a history as the services do: every step opens the wallet anew, lets pass what was due, and acts. */
export class WalletHistory {
  readonly journal: Entry[] = [];
  readonly wallet: Wallet = emptyWallet({ overdraft: OVERDRAFT });
  now: Instant = hour(0);
  private readonly newId = counting();
  private readonly voided = new Set<string>();
  private grants = 0;

  /** @returns whether what was asked for was done; null where it cannot be refused */
  run(action: Step): boolean | null {
    if (action.do === 'wait') this.now = (this.now + hour(action.hours)) as Instant;
    const draft = work(this.wallet, this.now, this.newId);
    settleDue(draft);
    const done = action.do === 'wait' ? null : this.act(draft, action);
    this.journal.push(...draft.entries);
    return done;
  }

  private act(draft: WalletDraft, action: Exclude<Step, { do: 'wait' }>): boolean | null {
    switch (action.do) {
      case 'grant':
        return this.grant(draft, action);
      case 'series':
        return this.series(draft, action);
      case 'use':
        chargeUsage(draft, { ...action, occurredAt: this.after(-action.ago) });
        return null;
      case 'debit':
        return debit(draft, { ...action, reference: 'd' }) === 'debited';
      case 'hold':
        return this.hold(draft, action);
      case 'capture':
        return this.resolve(action, (hold) => capture(draft, hold, action.amount) === 'captured');
      case 'release':
        return this.resolve(action, (hold) => release(draft, hold) === 'released');
      case 'void':
        return this.void(draft, action);
    }
  }

  private grant(draft: WalletDraft, terms: Terms): null {
    issueLot(draft, { ...this.issue(terms), expiresAt: this.end(terms) });
    return null;
  }

  private series(draft: WalletDraft, terms: Extract<Step, { do: 'series' }>): null {
    const issue = this.issue(terms);
    draft.wallet.recurrences.push({
      ...issue,
      every: { months: 0, days: 0, micros: hour(terms.every) },
      anchor: issue.effectiveAt,
      startsAt: issue.effectiveAt,
      zone: 'UTC',
      endsAt: this.end(terms),
      rollover: terms.rollover,
      nextAt: issue.effectiveAt,
    });
    settleDue(draft);
    return null;
  }

  private issue({ amount, start, priority, paid, feature }: Terms) {
    const name = `g${(this.grants += 1)}`;
    return {
      grantId: name,
      grantKey: name,
      kind: paid ? ('paid' as const) : ('promotional' as const),
      priority,
      effectiveAt: this.after(start),
      features: feature === null ? null : [feature],
      amount,
    };
  }

  private end({ start, length }: Terms): Instant | null {
    return length === null ? null : this.after(start + length);
  }

  private hold(
    draft: WalletDraft,
    { amount, feature, hours }: { amount: Nano; feature: string | null; hours: number },
  ): boolean {
    const key = `h${this.wallet.holds.length}`;
    return reserve(draft, { key, amount, feature, expiresAt: this.after(hours) }).status === 'reserved';
  }

  private resolve({ which }: { which: number }, how: (hold: Hold) => boolean): boolean {
    const hold = this.wallet.holds[which];
    return hold !== undefined && how(hold);
  }

  private void(draft: WalletDraft, { which }: { which: number }): null {
    const grantId = `g${which + 1}`;
    const { lots, recurrences } = draft.wallet;
    const own = lots.filter((lot) => lot.grantId === grantId);
    if (voidGrant(draft, grantId, own, this.voided.has(grantId)) !== 'voided') return null;
    this.voided.add(grantId);
    recurrences.splice(0, Infinity, ...recurrences.filter((one) => one.grantId !== grantId));
    return null;
  }

  private after(hours: number): Instant {
    return (this.now + hour(hours)) as Instant;
  }
}
