import type { Tx } from '@tallygate/platform';
import type { FactsOfCustomer } from '../domain';

/** Kinds of facts kept beside the directory's, each under a key of its own: unit, feature, or none. */
export type FactKind = 'collection' | 'flags' | 'method' | 'balance' | 'quota' | 'spend';

export interface Fact {
  readonly tenantId: string;
  readonly customerId: string;
  readonly kind: FactKind;
  readonly key: string;
  readonly version: number;
  readonly facts: unknown;
}

export interface CustomerRef {
  readonly tenantId: string;
  readonly customerId: string;
}

export type AppliedFact = CustomerRef & Pick<Fact, 'kind'>;

/** What other services said last, per customer. */
export abstract class FactStore {
  /**
   * @param facts of one customer, kind and key each
   * @returns those that were news: no version as late was here
   */
  abstract apply(tx: Tx, facts: readonly Fact[]): Promise<readonly AppliedFact[]>;
  /** Customers that this one pays for, without itself. */
  abstract children(tx: Tx, payer: CustomerRef): Promise<readonly CustomerRef[]>;
  /** Customers whose own fact has not come yet are left out. */
  abstract load(tx: Tx, customers: readonly CustomerRef[]): Promise<readonly LoadedCustomer[]>;
}

export interface LoadedCustomer extends FactsOfCustomer {
  readonly tenantId: string;
}
