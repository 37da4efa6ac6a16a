import fc from 'fast-check';
import { NaiveWallet } from '../testing/naive-model';
import { histories, OVERDRAFT, WalletHistory } from '../testing/wallet-history';
import type { Step } from '../testing/wallet-history';
import { hour } from '../testing/wallets';
import { endOf } from './lot';
import { debtOf } from './wallet';

/** The same history in the model's words. */
class NaiveHistory {
  readonly wallet = new NaiveWallet(OVERDRAFT);
  private grants = 0;
  private holds = 0;

  run(step: Step): boolean | null {
    const { wallet } = this;
    switch (step.do) {
      case 'grant':
        wallet.grant(this.grant(step));
        return null;
      case 'series':
        wallet.grantAgainAndAgain({ ...this.grant(step), every: step.every, rollover: step.rollover });
        return null;
      case 'use':
        wallet.use(step.amount, step.feature, wallet.now - step.ago);
        return null;
      case 'debit':
        return wallet.debit(step.amount, step.feature);
      case 'hold':
        return this.hold(step);
      case 'capture':
        return wallet.capture(`h${step.which}`, step.amount);
      case 'release':
        return wallet.release(`h${step.which}`);
      case 'void':
        wallet.void(`g${step.which + 1}`);
        return null;
      case 'wait':
        wallet.waitUntil(wallet.now + step.hours);
        return null;
    }
  }

  private hold({ amount, feature, hours }: Extract<Step, { do: 'hold' }>): boolean {
    const held = this.wallet.hold(`h${this.holds}`, amount, feature, hours);
    if (held) this.holds += 1;
    return held;
  }

  private grant({
    amount,
    start,
    length,
    priority,
    paid,
    feature,
  }: Extract<Step, { do: 'grant' | 'series' }>) {
    const from = this.wallet.now + start;
    return {
      key: `g${(this.grants += 1)}`,
      start: from,
      end: length === null ? Infinity : from + length,
      priority,
      paid,
      feature,
      left: amount,
    };
  }
}

/** Lots in order of creation, and what each feature owes. */
interface Seen {
  readonly lots: readonly (readonly [key: string, start: number, end: number, left: bigint, held: bigint])[];
  readonly debts: readonly bigint[];
}

const FEATURES = ['a', 'b', null];

function seenBy({ wallet }: WalletHistory): Seen {
  const inHours = (micros: number): number =>
    micros === Number.MAX_SAFE_INTEGER ? Infinity : micros / hour(1);
  return {
    lots: [...wallet.lots]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((lot) => [lot.grantKey, inHours(lot.effectiveAt), inHours(endOf(lot)), lot.remaining, lot.held]),
    debts: FEATURES.map((feature) => debtOf(wallet, feature)),
  };
}

function seenByModel({ wallet }: NaiveHistory): Seen {
  return {
    lots: wallet.lots.map(({ key, start, end, left, held }) => [key, start, end, left, held]),
    debts: FEATURES.map((feature) => wallet.owedBy((one) => one === feature)),
  };
}

describe('ten thousand random histories of a wallet', () => {
  it('leave every lot and debt, and answer every request, as the naive model does', () =>
    fc.assert(
      fc.property(histories, (steps) => {
        const [engine, model] = [new WalletHistory(), new NaiveHistory()];
        expect(steps.map((step) => ({ done: engine.run(step), ...seenBy(engine) }))).toEqual(
          steps.map((step) => ({ done: model.run(step), ...seenByModel(model) })),
        );
      }),
      { numRuns: 10_000 },
    ));
});
