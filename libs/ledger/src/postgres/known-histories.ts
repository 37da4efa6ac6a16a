import type { Tx } from '@tallygate/platform';
import type { SubscriptionTerms } from '../domain';
import * as sql from './sql/usage';

/** Each takes about half a kilobyte. */
const MOST_CUSTOMERS = 20_000;

/** By customer; one without a subscription may be missing. */
export type Histories = ReadonlyMap<string, readonly SubscriptionTerms[]>;

interface ChangesRow extends Record<string, unknown> {
  readonly server: string;
  readonly snapshot: string;
  readonly changed: readonly string[];
}

/** How far what is known goes, of one server. */
type AsOf = Pick<ChangesRow, 'server' | 'snapshot'>;

/**
 * Subscription histories as this process read them last. A transaction first asks whose history changed since; those it
 * forgets, and reads what it does not know.
 *
 * A snapshot says what was committed on one server only: after a failover everything is read again.
 */
export class KnownHistories {
  private readonly histories = new Map<string, readonly SubscriptionTerms[]>();
  private asOf: AsOf | null = null;
  /** How often changes were asked for. */
  private asked = 0;

  /** @param read tenant by customer → histories as the statement's snapshot has them */
  constructor(
    private readonly read: (tx: Tx, customers: ReadonlyMap<string, string>) => Promise<Histories>,
  ) {}

  /** @param customers tenant by customer */
  async of(tx: Tx, customers: ReadonlyMap<string, string>): Promise<Histories> {
    const asked = await this.forgetChanged(tx);
    const found = new Map<string, readonly SubscriptionTerms[]>();
    const unknown = new Map<string, string>();
    for (const [customerId, tenantId] of customers) {
      const known = this.histories.get(customerId);
      if (known === undefined) unknown.set(customerId, tenantId);
      else found.set(customerId, known);
    }
    if (unknown.size === 0) return found;
    const read = await this.read(tx, unknown);
    for (const customerId of unknown.keys()) found.set(customerId, read.get(customerId) ?? []);
    // Another transaction that asked meanwhile may have been told of a change that this one read too early to see.
    if (asked === this.asked) this.keep(unknown.keys(), found);
    return found;
  }

  /** Of two that ask at once the one answered last decides how far it goes: too early only means to forget more. */
  private async forgetChanged(tx: Tx): Promise<number> {
    const { rows } = await tx.query<ChangesRow>(sql.changedHistories, [
      this.asOf?.server ?? null,
      this.asOf?.snapshot ?? null,
      MOST_CUSTOMERS,
    ]);
    const [{ server, snapshot, changed }] = rows as [ChangesRow];
    if (server !== this.asOf?.server || changed.length === MOST_CUSTOMERS) this.histories.clear();
    else for (const customerId of changed) this.histories.delete(customerId);
    this.asOf = { server, snapshot };
    return (this.asked += 1);
  }

  private keep(customers: Iterable<string>, found: Histories): void {
    for (const customerId of customers) this.histories.set(customerId, found.get(customerId) ?? []);
    for (const oldest of this.histories.keys()) {
      if (this.histories.size <= MOST_CUSTOMERS) break;
      this.histories.delete(oldest);
    }
  }
}
