import { divideHalfEven, invariant, minNano } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';

/** Credit that somebody buys: paid once, credited once. */
export interface TopUp {
  readonly id: string;
  readonly customerId: string;
  /** The caller's own name for it, unique in the tenant. */
  readonly key: string;
  readonly unit: string;
  readonly amount: Nano;
  readonly status: 'pending' | 'paid' | 'failed';
  readonly invoiceId: string;
  readonly declineCode: string | null;
  /** Bought by the automatic rule, not by a caller. */
  readonly auto: boolean;
  /** Money that was given back, in the invoice's currency. */
  readonly refunded: Nano;
  /** Money that a chargeback holds or has taken. */
  readonly disputed: Nano;
  readonly dispute: 'open' | 'won' | 'lost' | null;
  /** How often what is taken back has changed. */
  readonly reversals: number;
  readonly createdAt: Instant;
  readonly paidAt: Instant | null;
}

/** The first confirmation pays it; null when it was paid or had failed before. */
export function confirm(topUp: TopUp, at: Instant): TopUp | null {
  return topUp.status === 'pending' ? { ...topUp, status: 'paid', paidAt: at } : null;
}

/** A refusal by the provider ends it; null when it was decided before. */
export function fail(topUp: TopUp, declineCode: string): TopUp | null {
  invariant(declineCode !== '', 'A failure names its code');
  return topUp.status === 'pending' ? { ...topUp, status: 'failed', declineCode } : null;
}

export function refundTopUp(topUp: TopUp, money: Nano): TopUp {
  return { ...topUp, refunded: topUp.refunded + money, reversals: topUp.reversals + 1 };
}

/** Taken back when a chargeback opens, given back when it is won. Null when it is known, or was decided before. */
export function disputeTopUp(topUp: TopUp, dispute: 'open' | 'won' | 'lost', money: Nano): TopUp | null {
  if (topUp.dispute === dispute || topUp.dispute === 'won' || topUp.dispute === 'lost') return null;
  return { ...topUp, dispute, disputed: dispute === 'won' ? 0n : money, reversals: topUp.reversals + 1 };
}

/** How much of the credit is taken back by now: the share of its price that went back. */
export function reversedCredit({ amount, refunded, disputed }: TopUp, price: Nano): Nano {
  return divideHalfEven(amount * minNano(price, refunded + disputed), price);
}
