import { Injectable } from '@nestjs/common';
import type { CustomerFacts, SubscriptionFacts } from '@tallygate/contracts';
import type { Tx } from '@tallygate/platform';
import { FactStore } from '../service/fact-store';
import type { AppliedFact, CustomerRef, Fact, FactKind, LoadedCustomer } from '../service/fact-store';
import { applyFacts, readChildren, readFactsOfCustomers } from './sql/facts';

interface KindedFacts {
  readonly kind: FactKind;
  readonly facts: unknown;
}

interface AppliedRow {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly kind: FactKind;
}

interface CustomerRow {
  readonly tenant_id: string;
  readonly customer: CustomerFacts;
  readonly subscription: SubscriptionFacts | null;
  readonly own: readonly KindedFacts[];
  readonly payers: readonly KindedFacts[];
}

@Injectable()
export class PgFactStore extends FactStore {
  override async apply(tx: Tx, facts: readonly Fact[]): Promise<readonly AppliedFact[]> {
    if (facts.length === 0) return [];
    const { rows } = await tx.query<AppliedRow>(applyFacts, [JSON.stringify(facts)]);
    return rows.map((row) => ({ tenantId: row.tenant_id, customerId: row.customer_id, kind: row.kind }));
  }

  override async children(tx: Tx, { tenantId, customerId }: CustomerRef): Promise<readonly CustomerRef[]> {
    const { rows } = await tx.query<{ customer_id: string }>(readChildren, [tenantId, customerId]);
    return rows.map((row) => ({ tenantId, customerId: row.customer_id }));
  }

  override async load(tx: Tx, customers: readonly CustomerRef[]): Promise<readonly LoadedCustomer[]> {
    if (customers.length === 0) return [];
    const { rows } = await tx.query<CustomerRow>(readFactsOfCustomers, [
      customers.map((customer) => customer.tenantId),
      customers.map((customer) => customer.customerId),
    ]);
    return rows.map(loadedOf);
  }
}

/** The rows were written from facts of the contract's types, kind by kind. */
function loadedOf({ tenant_id, customer, subscription, own, payers }: CustomerRow): LoadedCustomer {
  const all = <T>(kind: FactKind): readonly T[] => ofKind<T>(own, kind);
  const method = ofKind<{ readonly present: boolean }>(payers, 'method')[0];
  return {
    tenantId: tenant_id,
    customer,
    subscription,
    collection: ofKind<NonNullable<LoadedCustomer['collection']>>(payers, 'collection')[0] ?? null,
    hasMethod: method?.present ?? false,
    flags: all<NonNullable<LoadedCustomer['flags']>>('flags')[0] ?? null,
    balances: all('balance'),
    quotas: all('quota'),
    spend: all('spend'),
  };
}

function ofKind<T>(list: readonly KindedFacts[], kind: FactKind): readonly T[] {
  return list.filter((each) => each.kind === kind).map((each) => each.facts as T);
}
