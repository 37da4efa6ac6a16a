import type {
  Catalog,
  PayAnswer,
  PayRequest,
  PriceAnnouncement,
  PriceAnswer,
  RefundAnswer,
  RefundRequest,
} from '@tallygate/contracts';
import type { Tx } from '@tallygate/platform';
import type { Instant } from '@tallygate/kernel';
import type {
  ApiKey,
  AutoTopUp,
  Customer,
  Flags,
  Invoice,
  KnownBalance,
  Standing,
  StoredMethod,
  Subscription,
  Tenant,
  TopUp,
} from '../domain';
import type { Session } from './tenant-session';

export abstract class TenantStore {
  abstract insert(tx: Tx, tenant: Tenant): Promise<void>;
  abstract find(tx: Tx, tenantId: string): Promise<Tenant | null>;
  /** As find, and nobody else changes anything of this tenant until the transaction ends. */
  abstract lock(tx: Tx, tenantId: string): Promise<Tenant | null>;
  /** The next of the gapless numbers; a rolled-back transaction gives it back. */
  abstract nextInvoiceNumber(session: Session): Promise<number>;
}

export abstract class ApiKeyStore {
  abstract insert(tx: Tx, key: ApiKey, at: Instant): Promise<void>;
  /** @returns false when there is no such key, or it was revoked before */
  abstract revoke(session: Session, id: string): Promise<boolean>;
  /** Over all tenants: a valid key's owner, by the hash of its secret. */
  abstract byHash(tx: Tx, hash: string): Promise<ApiKey | null>;
}

export abstract class CatalogStore {
  abstract load(session: Session): Promise<{ readonly revision: number; readonly catalog: Catalog }>;
  abstract save(session: Session, revision: number, catalog: Catalog): Promise<void>;
}

export abstract class CustomerStore {
  /** @returns what is taken already: the customer's key, a subject or an API key of another customer */
  abstract conflicts(session: Session, customer: Customer): Promise<readonly string[]>;
  abstract save(session: Session, customer: Customer): Promise<void>;
  abstract byKey(session: Session, key: string): Promise<Customer | null>;
  abstract byId(session: Session, id: string): Promise<Customer | null>;
  /** In order of key, after `after`. */
  abstract list(session: Session, after: string, limit: number): Promise<readonly Customer[]>;
  /** Ids of the payer itself and of everyone it pays for. */
  abstract paidBy(session: Session, payerId: string): Promise<readonly string[]>;
}

export abstract class SubscriptionStore {
  abstract save(session: Session, subscription: Subscription): Promise<void>;
  /** The one that has not ended. */
  abstract inForce(session: Session, customerId: string): Promise<Subscription | null>;
  /** The one in force, or the last that ended. */
  abstract latest(session: Session, customerId: string): Promise<Subscription | null>;
  abstract byId(session: Session, id: string): Promise<Subscription | null>;
  abstract due(session: Session, limit: number): Promise<readonly Subscription[]>;
  abstract standing(session: Session, payerId: string): Promise<Standing | null>;
  abstract saveStanding(session: Session, payerId: string, standing: Standing): Promise<void>;
}

export abstract class InvoiceStore {
  abstract save(session: Session, invoice: Invoice): Promise<void>;
  abstract byId(session: Session, id: string): Promise<Invoice | null>;
  /** In order of number; drafts are left out. */
  abstract ofPayer(session: Session, payerId: string): Promise<readonly Invoice[]>;
  /** Unpaid ones of a subscription that were opened for this purpose. */
  abstract unpaidOf(
    session: Session,
    subscriptionId: string,
    purpose: Invoice['purpose'],
  ): Promise<readonly Invoice[]>;
}

export abstract class TopUpStore {
  abstract save(session: Session, topUp: TopUp): Promise<void>;
  abstract byKey(session: Session, key: string): Promise<TopUp | null>;
  abstract byId(session: Session, id: string): Promise<TopUp | null>;
}

export abstract class AutoTopUpStore {
  abstract find(session: Session, customerId: string, unit: string): Promise<AutoTopUp | null>;
  /** @param lookAt when the rule is looked at again; null when only news can change it */
  abstract save(session: Session, rule: AutoTopUp, lookAt: Instant | null): Promise<void>;
  abstract remove(session: Session, customerId: string, unit: string): Promise<boolean>;
  abstract ofCustomer(session: Session, customerId: string): Promise<readonly AutoTopUp[]>;
  abstract due(session: Session, limit: number): Promise<readonly AutoTopUp[]>;
  abstract balance(session: Session, customerId: string, unit: string): Promise<KnownBalance | null>;
  /** Keeps the newest statement of each wallet, over all tenants, and lets the rules of those that changed be looked at. */
  abstract hearBalances(statements: readonly BalanceStatement[]): Promise<void>;
}

export interface BalanceStatement extends KnownBalance {
  readonly tenantId: string;
  readonly customerId: string;
  readonly unit: string;
  /** The tenant's present. */
  readonly now: Instant;
}

export abstract class MethodStore {
  abstract find(session: Session, customerId: string): Promise<StoredMethod | null>;
  abstract save(session: Session, customerId: string, stored: StoredMethod): Promise<void>;
}

export abstract class FlagStore {
  abstract find(session: Session, customerId: string): Promise<Flags>;
  abstract save(session: Session, customerId: string, flags: Flags): Promise<void>;
  abstract due(session: Session, limit: number): Promise<readonly string[]>;
}

export interface AuditEntry {
  readonly action: string;
  readonly target: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export abstract class AuditLog {
  abstract record(session: Session, entry: AuditEntry): Promise<void>;
  abstract list(
    session: Session,
    limit: number,
  ): Promise<readonly (AuditEntry & { at: string; actor: string })[]>;
}

/** Dunning, as billing asks it: it alone talks to payment providers. Never called inside a session. */
export abstract class CollectionPort {
  abstract pay(request: PayRequest): Promise<PayAnswer>;
  abstract refund(request: RefundRequest): Promise<RefundAnswer>;
}

export type RatedRows = Extract<PriceAnswer, { outcome: 'refused' }>['rated'];

/** The ledger, as billing asks it before it states price rows. Never called inside a session. */
export abstract class LedgerPrices {
  /**
   * Announces the rows, then works; when the work says that it did not state them, they are withdrawn.
   * @returns `unreachable`: the ledger did not agree, and nothing was worked
   */
  abstract announced<T>(
    announcement: PriceAnnouncement,
    work: () => Promise<{ readonly stated: boolean; readonly value: T }>,
  ): Promise<
    | { readonly outcome: 'worked'; readonly value: T }
    | { readonly outcome: 'refused'; readonly rated: RatedRows }
    | { readonly outcome: 'unreachable' }
  >;
}

/** Random secrets and their hashes. */
export abstract class Secrets {
  /** A new key in clear, with a prefix that tells what it is. */
  abstract create(prefix: string): string;
  /** SHA-256, hex. */
  abstract hash(secret: string): string;
}
