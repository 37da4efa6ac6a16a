import { invariant } from '@tallygate/kernel';
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
