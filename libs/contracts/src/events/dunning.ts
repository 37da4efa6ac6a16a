import type { DeclineClass } from '../catalog';
import type { EventEnvelope } from './envelope';

/** Where a payer stands with its unpaid subscription invoices. */
export interface CollectionFacts {
  /** The payer. */
  readonly customerId: string;
  readonly state: 'current' | 'action_required' | 'grace' | 'warned' | 'suspended' | 'ended' | 'disputed';
  /** Due instant of the earliest unpaid invoice: every deadline counts from here. */
  readonly anchor: string | null;
  /** When it will be (or was) suspended; null while no date was announced. */
  readonly suspendAt: string | null;
  /** For `ended`: what the policy asks billing to do. */
  readonly finalAction: 'cancel' | 'downgrade' | 'write_off' | 'none' | null;
  readonly downgradeTo: string | null;
  readonly unpaidInvoiceIds: readonly string[];
  readonly version: number;
}

export type DunningEvent =
  | EventEnvelope<
      'payment.succeeded',
      {
        invoiceId: string;
        customerId: string;
        attemptId: string;
        amount: string;
        currency: string;
        capturedAt: string;
      }
    >
  | EventEnvelope<
      'payment.failed',
      {
        invoiceId: string;
        customerId: string;
        attemptId: string;
        declineClass: DeclineClass;
        declineCode: string;
        amount: string;
        currency: string;
        nextAttemptAt: string | null;
        /** True for the first failure since the invoice was last clean: one payment_failed notice per run. */
        firstOfRun: boolean;
      }
    >
  | EventEnvelope<
      'payment.action_required',
      { invoiceId: string; customerId: string; attemptId: string; expiresAt: string }
    >
  | EventEnvelope<
      'payment.method_missing',
      { invoiceId: string; customerId: string; amount: string; currency: string }
    >
  /** A chargeback of a captured payment: opened, given back (won), or the money gone for good (lost). */
  | EventEnvelope<
      'payment.disputed',
      {
        invoiceId: string;
        customerId: string;
        attemptId: string;
        amount: string;
        currency: string;
        state: 'open' | 'won' | 'lost';
      }
    >
  | EventEnvelope<'collection.changed', CollectionFacts>
  /** Asks the notifier for the warning that must be delivered before a suspension. */
  | EventEnvelope<
      'suspension.scheduled',
      { customerId: string; suspendAt: string; amountDue: string; currency: string; anchor: string }
    >
  | EventEnvelope<'dunning.finished', { customerId: string; finalAction: string; anchor: string }>
  | EventEnvelope<'alert.raised', { kind: string; detail: string }>;
export type DunningEventType = DunningEvent['type'];
