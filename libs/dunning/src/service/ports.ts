import type { CollectionFacts } from '@tallygate/contracts';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Campaign, CollectedInvoice, Invoice, Outcome, PastDecline, Policy, Warning } from '../domain';
import type { Session } from './session';

export type Mode = 'test' | 'live';
export type Purpose = 'charge' | 'checkout';

/** One call of the provider for one invoice, stored before it is made. */
export interface Attempt {
  /** The provider's idempotency key too: whoever sends it again, one capture comes of it. */
  readonly id: string;
  readonly invoiceId: string;
  readonly payerId: string;
  readonly mode: Mode;
  readonly purpose: Purpose;
  readonly amount: Nano;
  readonly currency: string;
  readonly method: Method | null;
  readonly outcome: Outcome;
  readonly createdAt: Instant;
  /** When it is looked after next: an answer that never came, an authentication that runs out. */
  readonly checkAt: Instant | null;
  readonly refunded: Nano;
}

/** A payer's stored method, as attempts resolve it when they run. */
export interface Method {
  readonly id: string;
  readonly providerRef: string;
  readonly brand: string;
  readonly funding: 'credit' | 'debit';
  readonly label: string;
}

/** What was last said of a payer, and what it was told. */
export interface Payer {
  readonly id: string;
  readonly facts: CollectionFacts;
  /** One per anchor that it was, or is to be, warned about. */
  readonly warnings: readonly Warning[];
  readonly dueAt: Instant | null;
}

export interface Refund {
  /** Repeats of one key move nothing. */
  readonly key: string;
  readonly attemptId: string;
  readonly amount: Nano;
  readonly tries: number;
  /** When it is sent (again); null when it is done or was given up. */
  readonly dueAt: Instant | null;
}

export interface ChargeRequest {
  readonly tenantId: string;
  readonly customerKey: string;
  readonly attempt: Attempt;
  readonly now: Instant;
}

/**
 * A payment provider. Every outcome is a value: `not_sent` only when the provider certainly took nothing, `unknown`
 * when the call ended without an answer.
 */
export abstract class PaymentProvider {
  abstract readonly name: string;
  abstract charge(request: ChargeRequest): Promise<Outcome>;
  /** What the provider knows of a key: `not_sent` when nothing, `unknown` when it cannot be asked. */
  abstract find(attempt: Attempt): Promise<Outcome>;
  /** Ends a step that waits for the customer; the outcome afterwards. */
  abstract cancel(attempt: Attempt): Promise<Outcome>;
  /** @returns false when it must be tried again */
  abstract refund(attempt: Attempt, refund: Refund, now: Instant): Promise<'done' | 'refused' | 'again'>;
  /** Reads a webhook after proving who sent it. */
  abstract readWebhook(rawBody: Buffer, headers: Readonly<Record<string, string>>): WebhookReading;
}

export interface ProviderEvent {
  readonly tenantId: string;
  readonly mode: Mode;
  readonly eventId: string;
  readonly attemptId: string;
  readonly kind: 'outcome' | 'dispute_opened' | 'dispute_won' | 'dispute_lost';
  readonly outcome: Outcome;
}

export type WebhookReading =
  | { readonly kind: 'event'; readonly event: ProviderEvent }
  | { readonly kind: 'unreadable' }
  /** Whoever signed it does not hold the secret of the account it names. */
  | { readonly kind: 'forged'; readonly claimedTenantId: string | null };

export abstract class InvoiceStore {
  abstract find(session: Session, invoiceId: string): Promise<CollectedInvoice | null>;
  /** Stores what billing says; an older version changes nothing. @returns whether it was news */
  abstract apply(session: Session, invoice: Invoice): Promise<boolean>;
  abstract saveCampaign(session: Session, invoiceId: string, campaign: Campaign): Promise<void>;
  /** The payer's invoices that are not settled, oldest first. */
  abstract unsettled(session: Session, payerId: string): Promise<readonly CollectedInvoice[]>;
  /** The payer's first invoice, by age, whose next try is due. */
  abstract nextDue(session: Session, payerId: string): Promise<CollectedInvoice | null>;
  /** Whether the payer has an invoice younger than this one. */
  abstract hasYounger(session: Session, payerId: string, than: Instant): Promise<boolean>;
  abstract anyDisputed(session: Session, payerId: string): Promise<boolean>;
}

export abstract class AttemptStore {
  abstract insert(session: Session, attempt: Attempt): Promise<void>;
  abstract save(session: Session, attempt: Attempt): Promise<void>;
  abstract find(session: Session, attemptId: string): Promise<Attempt | null>;
  abstract openOf(session: Session, invoiceId: string): Promise<Attempt | null>;
  /** Open attempts of all the payer's invoices. */
  abstract openOfPayer(session: Session, payerId: string): Promise<readonly Attempt[]>;
  abstract capturedOf(session: Session, invoiceId: string): Promise<readonly Attempt[]>;
  /** Declines of this card of this payer since then, by when they were sent. */
  abstract declinesOf(
    session: Session,
    payerId: string,
    providerRef: string,
    since: Instant,
  ): Promise<readonly PastDecline[]>;
  /** The latest decline of this method of this payer; null when there is none. */
  abstract lastDeclineOf(session: Session, payerId: string, methodId: string): Promise<Outcome | null>;
  /** Calls that reached the provider, oldest first. */
  abstract reachedOf(session: Session, payerId: string): Promise<readonly Attempt[]>;
}

export abstract class PayerStore {
  /** Locks the payer until the transaction ends: whoever changes anything of a payer holds this first, and only one. */
  abstract lock(session: Session, payerId: string): Promise<Payer>;
  abstract find(session: Session, payerId: string): Promise<Payer | null>;
  abstract save(session: Session, payer: Payer): Promise<void>;
  abstract method(session: Session, payerId: string): Promise<Method | null>;
  /** @returns whether the payer has another method now */
  abstract applyMethod(
    session: Session,
    payerId: string,
    method: Method | null,
    version: number,
  ): Promise<boolean>;
  /** Stores a method whose version is still on its way. @returns whether it is another than the stored one */
  abstract adoptMethod(session: Session, payerId: string, method: Method): Promise<boolean>;
}

export abstract class RefundStore {
  /** @returns the refund already stored under that key, else null and it is stored now */
  abstract claim(session: Session, refund: Refund): Promise<Refund | null>;
  abstract find(session: Session, key: string): Promise<Refund | null>;
  abstract save(session: Session, refund: Refund): Promise<void>;
}

export abstract class ProviderEventStore {
  /** @returns false when this event was handled before */
  abstract claim(session: Session, provider: string, eventId: string): Promise<boolean>;
}

/** What the other services' facts say of tenants, catalogs and customers. */
export abstract class PayerDirectory {
  /** Whether there is such a tenant: what came from outside may name any. */
  abstract knowsTenant(session: Session): Promise<boolean>;
  abstract policies(session: Session): Promise<(key: string | null) => Policy>;
  /** Null while the customer's facts have not arrived. */
  abstract profile(session: Session, customerId: string): Promise<PayerProfile | null>;
  /** As profile, waiting a moment for facts on their way. */
  abstract awaitProfile(tenantId: string, customerId: string): Promise<PayerProfile | null>;
}

export interface PayerProfile {
  readonly key: string;
  readonly zone: string;
  readonly mode: Mode;
}
