import type { DeclineClass } from '@tallygate/contracts';
import { MICROS } from '@tallygate/kernel';

/** What a provider said when it declined, as received, and what it means to us. */
export interface Decline {
  readonly declineClass: DeclineClass;
  /** The provider's code. */
  readonly declineCode: string;
  /** The network's advice: retry times, or "never". Null when none came. */
  readonly advice: Advice | null;
}

export type Advice =
  /** Never again with this method. */
  | { readonly kind: 'never' }
  /** Exactly this long after the decline. */
  | { readonly kind: 'wait'; readonly micros: number };

/** By provider code; a code that is not here is `generic`. */
const CLASSES: Readonly<Record<string, DeclineClass>> = {
  lost_card: 'hard',
  stolen_card: 'hard',
  pickup_card: 'hard',
  restricted_card: 'hard',
  revocation_of_authorization: 'hard',
  revocation_of_all_authorizations: 'hard',
  stop_payment_order: 'hard',
  incorrect_number: 'hard',
  invalid_number: 'hard',
  invalid_account: 'hard',
  account_closed: 'hard',
  no_such_card: 'hard',
  card_not_supported: 'hard',
  transaction_not_allowed: 'hard',
  not_permitted: 'hard',
  fraud: 'hard',
  fraudulent: 'hard',
  merchant_blacklist: 'hard',
  security_violation: 'hard',
  expired_card: 'data',
  incorrect_cvc: 'data',
  invalid_cvc: 'data',
  invalid_expiry: 'data',
  invalid_expiry_month: 'data',
  invalid_expiry_year: 'data',
  incorrect_expiry: 'data',
  incorrect_zip: 'data',
  incorrect_address: 'data',
  incorrect_pin: 'data',
  insufficient_funds: 'funds',
  card_velocity_exceeded: 'funds',
  withdrawal_count_limit_exceeded: 'funds',
  withdrawal_limit_exceeded: 'funds',
  exceeds_limit: 'funds',
  amount_limit_exceeded: 'funds',
  do_not_honor: 'generic',
  generic_decline: 'generic',
  call_issuer: 'generic',
  card_declined: 'generic',
  no_action_taken: 'generic',
  processing_error: 'technical',
  issuer_not_available: 'technical',
  issuer_unavailable: 'technical',
  try_again_later: 'technical',
  reenter_transaction: 'technical',
  approve_with_id: 'technical',
  authentication_required: 'authentication',
  authentication_failed: 'authentication',
  authentication_expired: 'authentication',
};

const WAITS: Readonly<Record<number, number>> = {
  24: MICROS.hour,
  25: MICROS.day,
  26: 2 * MICROS.day,
  27: 4 * MICROS.day,
  28: 6 * MICROS.day,
  29: 8 * MICROS.day,
  30: 10 * MICROS.day,
};
const NEVER: readonly number[] = [3, 21];
const ADVISED_CLASSES: Readonly<Record<number, DeclineClass>> = { 1: 'data', 2: 'funds' };

/** The network's advice beats the class that the code stands for. */
export function readDecline(declineCode: string, adviceCode: string | null): Decline {
  const number = adviceCode === null || adviceCode === '' ? NaN : Number(adviceCode);
  const declineClass = ADVISED_CLASSES[number] ?? CLASSES[declineCode] ?? 'generic';
  return { declineClass, declineCode, advice: adviceOf(number) };
}

/** True when no further try with this method is allowed, whoever asks for it. */
export function forbidsMethod({ declineClass, advice }: Decline): boolean {
  if (advice !== null) return advice.kind === 'never';
  return declineClass === 'hard';
}

function adviceOf(number: number): Advice | null {
  if (NEVER.includes(number)) return { kind: 'never' };
  const micros = WAITS[number];
  return micros === undefined ? null : { kind: 'wait', micros };
}
