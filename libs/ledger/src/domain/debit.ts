import type { Nano } from '@tallygate/kernel';
import { drawValid, owe } from './burn';
import { debtOf, freeCredit, post } from './wallet';
import type { Wallet, WalletDraft } from './wallet';

/** A withdrawal that is asked for, not yet served. */
export interface RequestedDebit {
  readonly amount: Nano;
  readonly feature: string | null;
  /** Key of the request. */
  readonly reference: string;
}

export type DebitOutcome = 'debited' | 'insufficient_credit';

/** Debits valid lots in burn order; what the overdraft lends becomes debt. Refused as a whole below the floor. */
export function debit(draft: WalletDraft, request: RequestedDebit): DebitOutcome {
  if (!covers(draft.wallet, draft, request.feature, request.amount)) return 'insufficient_credit';
  const { feature, reference } = request;
  const short = drawValid(draft, feature, request.amount, (lot, taken) => {
    post(draft, 'debit', lot, { free: -taken, feature, reference });
  });
  if (short > 0n) owe(draft, { feature, amount: short, occurredAt: draft.now }, short);
  return 'debited';
}

/**
 * Whether a request leaves available at or above −overdraft. A feature answers for its own debt; once it borrows, the
 * floor is the wallet's, whoever made the debt.
 */
export function covers(
  wallet: Wallet,
  { now }: Pick<WalletDraft, 'now'>,
  feature: string | null,
  amount: Nano,
): boolean {
  const free = freeCredit(wallet, now, feature);
  const owed = feature === null ? debtOf(wallet) : debtOf(wallet, feature);
  if (free - owed >= amount) return true;
  const short = amount > free ? amount - free : 0n;
  const below = amount - free + owed;
  const borrowed = short + debtOf(wallet);
  return (below > borrowed ? below : borrowed) <= wallet.overdraft;
}
