import type { DeclineClass } from './catalog';
import type { InvoiceFacts, PaymentMethodFacts } from './events/billing';

/**
 * What billing asks of dunning and waits for: `POST {dunning}/internal/pay` and `/internal/refund` under the internal
 * secret, or a function call in one process. The invoice and the method travel with the request, because their facts
 * may still be on their way: dunning applies them (by version) before it acts. Every outcome is published as a fact
 * too; billing takes whichever comes first.
 */
export interface PayRequest {
  readonly tenantId: string;
  readonly invoiceId: string;
  /** `hosted`: the customer pays on the provider's page, with no stored method needed. */
  readonly through: 'api' | 'hosted';
  readonly invoice: InvoiceFacts;
  /** The payer's method now; null when it has none. */
  readonly method: PaymentMethodFacts | null;
}

export type PayAnswer =
  | {
      readonly outcome: 'succeeded';
      readonly attemptId: string;
      readonly amount: string;
      readonly capturedAt: string;
    }
  | {
      readonly outcome: 'declined';
      readonly attemptId: string;
      readonly declineClass: DeclineClass;
      readonly declineCode: string;
    }
  /** Not known yet: a provider event, the reconciler or the customer decides; the invoice's other charges wait. */
  | { readonly outcome: 'action_required' | 'pending' | 'unknown' | 'not_sent'; readonly attemptId: string }
  /** Nothing was sent: nothing is owed, an attempt is open, there is no method to charge, or our own caps forbid it. */
  | {
      readonly outcome: 'refused';
      readonly code: 'nothing_owed' | 'payment_open' | 'payment_method_missing' | 'retry_forbidden';
    };

export interface RefundRequest {
  readonly tenantId: string;
  readonly invoiceId: string;
  /** Decimal text; null for all that was captured and not refunded. */
  readonly amount: string | null;
  /** Repeats of one key move nothing. */
  readonly key: string;
}

export type RefundAnswer =
  | { readonly outcome: 'refunded'; readonly amount: string }
  | { readonly outcome: 'refused'; readonly code: 'nothing_captured' | 'more_than_captured' };
