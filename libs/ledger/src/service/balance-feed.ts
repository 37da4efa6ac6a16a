import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import { Database, Outbox, TenantTime } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { isTold } from '../domain';
import type { Counter, Wallet } from '../domain';
import { balanceChanged, counterChanged, lotChanged } from './ledger-facts';
import { PublicationStore } from './publication-store';
import type { Told } from './publication-store';

interface Gathered {
  readonly wallets: Set<bigint>;
  /** By a name of its own. */
  readonly counters: Map<string, Told>;
}

const MOST_AT_ONCE = 500;

/**
 * Changes that flip nothing leave gathered: the newest state of each wallet, quota and spend cap, at most once per flush. What was
 * gathered when a process died is found by comparing revisions when the next one starts.
 */
@Injectable()
export class BalanceFeed {
  private readonly gathered = new Map<string, Gathered>();
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly store: PublicationStore,
    private readonly outbox: Outbox,
    private readonly time: TenantTime,
    private readonly ids: Ids,
  ) {}

  gather(wallets: Iterable<Pick<Wallet, 'tenantId' | 'id'>>, counters: Iterable<Counter>): void {
    for (const wallet of wallets) this.of(wallet.tenantId).wallets.add(wallet.id);
    for (const counter of counters) if (isTold(counter)) this.gatherCounter(counter);
  }

  /** Gathers everything whose facts never left: after a start, and when partitions of another process were taken over. */
  async recover(): Promise<void> {
    const unpublished = await this.database.asWorker((tx) => this.store.unpublished(tx));
    for (const { tenantId, walletId } of unpublished.wallets) this.of(tenantId).wallets.add(walletId);
    for (const counter of unpublished.counters) this.gatherCounter(counter);
  }

  /**
   * One after another: when it resolves, everything gathered before the call is in the outbox, whoever flushed it.
   * @param tenantId null: every tenant's. @returns how many facts were handed to the outbox
   */
  async flush(tenantId: string | null): Promise<number> {
    const turn = this.running.then(() => this.flushNow(tenantId));
    this.running = turn.catch(() => undefined);
    return turn;
  }

  private async flushNow(tenantId: string | null): Promise<number> {
    const tenants = tenantId === null ? [...this.gathered.keys()] : [tenantId];
    let published = 0;
    for (const tenant of tenants) published += await this.flushTenant(tenant);
    if (published > 0) this.outbox.wake();
    return published;
  }

  private async flushTenant(tenantId: string): Promise<number> {
    const gathered = this.gathered.get(tenantId);
    if (gathered === undefined) return 0;
    this.gathered.delete(tenantId);
    let published = 0;
    for (const wallets of chunksOf([...gathered.wallets])) {
      published += await this.database.asWorker((tx) => this.publishWallets(tx, tenantId, wallets));
    }
    for (const counters of chunksOf([...gathered.counters.values()])) {
      published += await this.database.asWorker((tx) => this.publishCounters(tx, tenantId, counters));
    }
    return published;
  }

  private async publishWallets(tx: Tx, tenantId: string, ids: readonly bigint[]): Promise<number> {
    const now = await this.time.now(tenantId);
    const due = await this.store.takeWallets(tx, ids);
    const facts = due.flatMap(({ wallet, revision }) => [
      balanceChanged(this.ids.next(), wallet, now, revision),
      ...wallet.lots
        .filter((lot) => lot.expiresAt !== null)
        .map((lot) => lotChanged(this.ids.next(), wallet, lot, now, revision)),
    ]);
    await this.outbox.add(tx, facts);
    return due.length;
  }

  private async publishCounters(tx: Tx, tenantId: string, told: readonly Told[]): Promise<number> {
    const now = await this.time.now(tenantId);
    const due = await this.store.takeCounters(tx, tenantId, told);
    await this.outbox.add(
      tx,
      due.map((counter) => counterChanged(this.ids.next(), counter, now)),
    );
    return due.length;
  }

  private gatherCounter({ tenantId, customerId, feature, kind }: { tenantId: string } & Told): void {
    this.of(tenantId).counters.set(customerId + kind + feature, { customerId, feature, kind });
  }

  private of(tenantId: string): Gathered {
    let gathered = this.gathered.get(tenantId);
    if (gathered === undefined) {
      gathered = { wallets: new Set(), counters: new Map() };
      this.gathered.set(tenantId, gathered);
    }
    return gathered;
  }
}

function* chunksOf<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += MOST_AT_ONCE) yield list.slice(at, at + MOST_AT_ONCE);
}
