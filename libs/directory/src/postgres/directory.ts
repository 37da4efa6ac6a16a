import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { keyText } from '@tallygate/contracts';
import { parseInstant } from '@tallygate/kernel';
import type {
  BillingEvent,
  Catalog,
  CustomerFacts,
  SubscriptionFacts,
  TenantFacts,
} from '@tallygate/contracts';
import { Database, TenantTime } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import * as apply from './sql/apply';
import * as read from './sql/read';

export interface CatalogFacts {
  readonly revision: number;
  readonly catalog: Catalog;
}

export interface SubjectOfTenant {
  readonly tenantId: string;
  readonly subject: string;
}

const RETRY_MS = 15;
const DEFAULT_PATIENCE_MS = 1000;

/**
 * A service's own copy of what billing says about tenants, catalogs, customers and subscriptions, fed from
 * billing.events. Whatever order and however often facts arrive, the latest one stands.
 */
@Injectable()
export class Directory {
  /** Catalogs are large and change rarely: parsed once per revision in this process. */
  private readonly catalogs = new Map<string, CatalogFacts>();

  constructor(
    private readonly database: Database,
    private readonly time: TenantTime,
  ) {}

  /**
   * Takes a fact into the copy, in the caller's transaction. A new test tenant's clock is set too, outside of it:
   * setting a clock again is harmless.
   * @returns whether it was news; false for what is known already, outdated, or none of the directory's business
   */
  async apply(tx: Tx, event: BillingEvent): Promise<boolean> {
    switch (event.type) {
      case 'tenant.changed':
        return this.applyTenant(tx, event.occurredAt, event.data.tenant);
      case 'catalog.applied':
        return isNews(tx, apply.applyCatalog, [
          event.tenantId,
          event.data.revision,
          JSON.stringify(event.data.catalog),
        ]);
      case 'customer.changed':
        return applyCustomer(tx, event.tenantId, event.data.customer);
      case 'subscription.changed':
        return applySubscription(tx, event.tenantId, event.data.subscription);
      default:
        return false;
    }
  }

  async tenant(tx: Tx, tenantId: string): Promise<TenantFacts | null> {
    return factsOf<TenantFacts>(tx, read.readTenant, [tenantId]);
  }

  /** @param key the provider's own name of the customer */
  async customerByKey(tx: Tx, tenantId: string, key: string): Promise<CustomerFacts | null> {
    return factsOf<CustomerFacts>(tx, read.readCustomerByKey, [tenantId, key]);
  }

  async customerById(tx: Tx, tenantId: string, customerId: string): Promise<CustomerFacts | null> {
    return factsOf<CustomerFacts>(tx, read.readCustomerById, [tenantId, customerId]);
  }

  /** Several in one look-up, by id; those not known yet are missing. */
  async customersByIds(
    tx: Tx,
    tenantId: string,
    customerIds: readonly string[],
  ): Promise<ReadonlyMap<string, CustomerFacts>> {
    const { rows } = await tx.query<{ facts: CustomerFacts }>(read.readCustomersByIds, [
      tenantId,
      customerIds,
    ]);
    return new Map(rows.map(({ facts }) => [facts.id, facts]));
  }

  /**
   * Whose subjects these are, in one look-up. A customer's key counts as its subject too, unless somebody names it.
   * @returns customer ids in the order asked; null where the subject is nobody's
   */
  async customersBySubjects(
    tx: Tx,
    subjects: readonly SubjectOfTenant[],
  ): Promise<readonly (string | null)[]> {
    const { rows } = await tx.query<{ customer_id: string | null }>(read.readCustomersBySubjects, [
      subjects.map((one) => one.tenantId),
      subjects.map((one) => one.subject),
    ]);
    return rows.map((row) => row.customer_id);
  }

  /** The subscription that has not ended; else the one that ended last; null for a customer that never had one. */
  async subscription(tx: Tx, tenantId: string, customerId: string): Promise<SubscriptionFacts | null> {
    return factsOf<SubscriptionFacts>(tx, read.readSubscription, [tenantId, customerId]);
  }

  /** The tenant's catalog at its latest revision; the same object as long as the revision stays. Never change it. */
  async catalog(tx: Tx, tenantId: string): Promise<CatalogFacts | null> {
    const { rows } = await tx.query<{ revision: bigint }>(read.readCatalogRevision, [tenantId]);
    const cached = this.catalogs.get(tenantId);
    if (rows[0] === undefined || cached?.revision === Number(rows[0].revision))
      return rows[0] === undefined ? null : (cached ?? null);
    return this.loadCatalog(tx, tenantId);
  }

  /**
   * The customer of that key, waiting for its fact when billing has just created it elsewhere: a caller may name a
   * customer here as soon as billing has answered. Asked again every few milliseconds, because the fact may be taken
   * in by another process; null when it has not come within `patienceMs`.
   */
  async resolveCustomer(
    tenantId: string,
    key: string,
    patienceMs = DEFAULT_PATIENCE_MS,
  ): Promise<CustomerFacts | null> {
    if (!keyText.safeParse(key).success) return null;
    return this.await(tenantId, (tx) => this.customerByKey(tx, tenantId, key), patienceMs);
  }

  /** As {@link resolveCustomer}, for the tenant itself. */
  async resolveTenant(tenantId: string, patienceMs = DEFAULT_PATIENCE_MS): Promise<TenantFacts | null> {
    return this.await(tenantId, (tx) => this.tenant(tx, tenantId), patienceMs);
  }

  private async applyTenant(tx: Tx, occurredAt: string, tenant: TenantFacts): Promise<boolean> {
    const news = await isNews(tx, apply.applyTenant, [tenant.id, occurredAt, JSON.stringify(tenant)]);
    const clock = tenant.clock === null ? null : parseInstant(tenant.clock);
    if (news && clock?.ok === true) await this.time.set(tenant.id, clock.value, tx);
    return news;
  }

  private async loadCatalog(tx: Tx, tenantId: string): Promise<CatalogFacts | null> {
    const { rows } = await tx.query<{ revision: bigint; catalog: Catalog }>(read.readCatalog, [tenantId]);
    if (rows[0] === undefined) return null;
    const facts = { revision: Number(rows[0].revision), catalog: rows[0].catalog };
    this.catalogs.set(tenantId, facts);
    return facts;
  }

  private async await<T>(
    tenantId: string,
    look: (tx: Tx) => Promise<T | null>,
    patienceMs: number,
  ): Promise<T | null> {
    for (let waited = 0; ; waited += RETRY_MS) {
      const found = await this.database.asTenant(tenantId, look);
      if (found !== null || waited >= patienceMs) return found;
      await pause(RETRY_MS);
    }
  }
}

async function applyCustomer(tx: Tx, tenantId: string, customer: CustomerFacts): Promise<boolean> {
  const { id, key, version, subjects } = customer;
  return isNews(tx, apply.applyCustomer, [tenantId, id, key, version, JSON.stringify(customer), subjects]);
}

async function applySubscription(
  tx: Tx,
  tenantId: string,
  subscription: SubscriptionFacts,
): Promise<boolean> {
  const { id, customerId, version, startedAt, endedAt } = subscription;
  return isNews(tx, apply.applySubscription, [
    tenantId,
    id,
    customerId,
    version,
    startedAt,
    endedAt,
    JSON.stringify(subscription),
  ]);
}

async function isNews(
  tx: Tx,
  statement: { name: string; text: string },
  values: readonly unknown[],
): Promise<boolean> {
  const { rowCount } = await tx.query(statement, values);
  return rowCount === 1;
}

async function factsOf<T>(
  tx: Tx,
  statement: { name: string; text: string },
  values: readonly unknown[],
): Promise<T | null> {
  const { rows } = await tx.query<{ facts: T }>(statement, values);
  return rows[0]?.facts ?? null;
}
