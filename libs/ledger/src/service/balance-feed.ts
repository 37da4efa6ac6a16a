import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { Database, Outbox, TenantTime } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { isNews, isTold, marginBefore, marginOf, marginOfCounter } from '../domain';
import type { Counter, Margin, WalletDraft } from '../domain';
import { balanceChanged, counterChanged, lotChanged } from './ledger-facts';
import { Leaving } from './leaving';
import type { OpenWallet } from './wallet-posting';
import { untoldOf } from './wallet-store';
import { PublicationStore } from './publication-store';
import type { Told } from './publication-store';

/** From when on something may leave; in milliseconds of a clock that only goes on. */
interface Leave {
  /** With a slice that touches it. */
  readonly slice: number;
  readonly flush: number;
}

/** What waits to be told. */
interface Gathered {
  readonly wallets: Map<bigint, Leave>;
  /** By a name of its own. */
  readonly counters: Map<string, GatheredCounter>;
}

interface GatheredCounter {
  readonly told: Told;
  readonly leave: Leave;
  /** The latest period that moved; null: not known, and found by the flush alone. */
  readonly period: Instant | null;
}

/** What was last told of something, and when: in milliseconds of a clock that only goes on. */
interface Remembered {
  readonly margin: Margin;
  readonly at: number;
}

const MOST_AT_ONCE = 500;
/** Wallets and counters whose last told margin is remembered; of a forgotten one everything is news. */
const MOST_REMEMBERED = 100_000;
const AT_ONCE: Leave = { slice: -Infinity, flush: -Infinity };
/** Of something that is news all the time slices tell no more often than flushes do. */
const NEWS_APART_MS = 1_000;
/** What is no news waits this long at most, with whatever comes meanwhile, and at least half as long: so it never leaves in waves. */
const WAIT_MS = 60_000;
/** Of what is no news so many a second leave at most: when more wait, they wait longer. */
const MOST_A_SECOND = 500;
/** It leaves with others, at a whole multiple: who hears it pays for each transaction. */
const TICK_MS = 4_000;
/** Slices may take it along for so long before a flush asks for the wallets' locks. */
const SLICES_FIRST_MS = 1_000;
/** Multiples of it, without their whole part, are spread evenly however many there are. */
const GOLDEN_RATIO = 0.618;

/**
 * Changes that flip nothing leave gathered: the newest state of each wallet, quota and spend cap, at once when it is
 * news, else once it waited; with the next slice that touches it or with the next flush, whichever comes first. What was
 * gathered when a process died is found by comparing revisions when the next one starts.
 */
@Injectable()
export class BalanceFeed {
  private readonly gathered = new Map<string, Gathered>();
  private readonly margins = new Map<bigint | string, Remembered>();
  private phase = 0;
  /** In milliseconds. */
  private wait = WAIT_MS;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly store: PublicationStore,
    private readonly outbox: Outbox,
    private readonly time: TenantTime,
    private readonly ids: Ids,
  ) {}

  gather(wallets: Iterable<OpenWallet>, counters: Iterable<Counter>): void {
    for (const { draft, locked } of wallets) {
      const { wallet, now, entries } = draft;
      const leave = this.mayLeave(wallet.id, marginOf(wallet, now), untoldOf(locked, entries));
      this.gatherWallet(wallet.tenantId, wallet.id, leave);
    }
    for (const counter of counters)
      if (isTold(counter))
        this.gatherCounter(
          counter,
          this.mayLeave(nameOf(counter), marginOfCounter(counter), untoldOfCounter(counter)),
          counter.periodStart,
        );
  }

  leaving(): Leaving {
    return new Leaving(this);
  }

  /** @returns whether the wallet waits and may leave by now; it waits no more then */
  takeDueWallet(tenantId: string, id: bigint): boolean {
    const wallets = this.gathered.get(tenantId)?.wallets;
    return (wallets?.get(id)?.slice ?? Infinity) <= performance.now() && wallets?.delete(id) === true;
  }

  /** The same; a period that a later one followed takes nothing along, since who is told looks at the last one. */
  takeDueCounter(counter: Counter): boolean {
    const counters = this.gathered.get(counter.tenantId)?.counters;
    const waits = counters?.get(nameOf(counter));
    if (waits === undefined || waits.leave.slice > performance.now()) return false;
    if (waits.period === null || counter.periodStart < waits.period) return false;
    return counters?.delete(nameOf(counter)) === true;
  }

  left(wallets: Iterable<WalletDraft>, counters: Iterable<Counter>): void {
    for (const { wallet, now } of wallets) this.remember(wallet.id, marginOf(wallet, now));
    for (const counter of counters) this.remember(nameOf(counter), marginOfCounter(counter));
  }

  gatherAgain(wallets: Iterable<WalletDraft>, counters: Iterable<Counter>): void {
    for (const { wallet } of wallets) this.gatherWallet(wallet.tenantId, wallet.id, AT_ONCE);
    for (const counter of counters) this.gatherCounter(counter, AT_ONCE, null);
  }

  /** Gathers everything whose facts never left: after a start, and when partitions of another process were taken over. */
  async recover(): Promise<void> {
    const unpublished = await this.database.asWorker((tx) => this.store.unpublished(tx));
    const begun = performance.now();
    let place = 0;
    const next = (): Leave => inTurn(begun, place++);
    for (const { tenantId, walletIds } of unpublished.wallets)
      for (const id of walletIds) this.gatherWallet(tenantId, id, next());
    for (const counter of unpublished.counters) this.gatherCounter(counter, next(), null);
  }

  /**
   * One after another: when it resolves, what may leave is in the outbox, whoever flushed it. When it fails, everything
   * that did not leave is gathered anew.
   * @param tenantId everything of that tenant; null: of every tenant what is news or has waited
   * @returns how many facts were handed to the outbox
   */
  async flush(tenantId: string | null): Promise<number> {
    const turn = this.running.then(() => this.flushNow(tenantId));
    this.running = turn.catch(() => this.recover()).catch(() => undefined);
    return turn;
  }

  private async flushNow(tenantId: string | null): Promise<number> {
    const until = tenantId === null ? performance.now() : Infinity;
    const tenants = tenantId === null ? [...this.gathered.keys()] : [tenantId];
    let published = 0;
    for (const tenant of tenants) published += await this.flushTenant(tenant, until);
    this.wait = Math.max(WAIT_MS, (this.waiting() / MOST_A_SECOND) * 1_000);
    return published;
  }

  private waiting(): number {
    let count = 0;
    for (const { wallets, counters } of this.gathered.values()) count += wallets.size + counters.size;
    return count;
  }

  private async flushTenant(tenantId: string, until: number): Promise<number> {
    const { wallets, counters } = this.of(tenantId);
    const due = [...wallets].flatMap(([id, { flush }]) => (flush <= until ? [id] : []));
    for (const id of due) wallets.delete(id);
    const dueCounters = [...counters].filter(([, { leave }]) => leave.flush <= until);
    for (const [name] of dueCounters) counters.delete(name);
    if (wallets.size === 0 && counters.size === 0) this.gathered.delete(tenantId);
    let published = 0;
    for (const ids of chunksOf(due)) {
      published += await this.database.asWorker((tx) => this.publishWallets(tx, tenantId, ids));
    }
    for (const told of chunksOf(dueCounters.map(([, one]) => one.told))) {
      published += await this.database.asWorker((tx) => this.publishCounters(tx, tenantId, told));
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
    for (const { wallet } of due) this.remember(wallet.id, marginOf(wallet, now));
    return due.length;
  }

  private async publishCounters(tx: Tx, tenantId: string, told: readonly Told[]): Promise<number> {
    const now = await this.time.now(tenantId);
    const due = await this.store.takeCounters(tx, tenantId, told);
    await this.outbox.add(
      tx,
      due.map((counter) => counterChanged(this.ids.next(), counter, now)),
    );
    for (const counter of due) this.remember(nameOf(counter), marginOfCounter(counter));
    return due.length;
  }

  /** @param untold how far it moved since it was told, where nobody remembers what that was; null: not known either */
  private mayLeave(name: bigint | string, margin: Margin, untold: Nano | null = null): Leave {
    const told = this.margins.get(name) ?? (untold === null ? undefined : toldBefore(margin, untold));
    if (told === undefined) return AT_ONCE;
    if (isNews(told.margin, margin)) return { slice: told.at + NEWS_APART_MS, flush: AT_ONCE.flush };
    this.phase = (this.phase + GOLDEN_RATIO) % 1;
    const waited = performance.now() + this.wait * (1 - this.phase / 2);
    const slice = Math.ceil(waited / TICK_MS) * TICK_MS;
    return { slice, flush: slice + SLICES_FIRST_MS };
  }

  private remember(name: bigint | string, margin: Margin): void {
    if (this.margins.size >= MOST_REMEMBERED) this.margins.clear();
    this.margins.set(name, { margin, at: performance.now() });
  }

  private gatherWallet(tenantId: string, id: bigint, leave: Leave): void {
    const { wallets } = this.of(tenantId);
    wallets.set(id, soonerOf(leave, wallets.get(id)));
  }

  private gatherCounter(
    counter: { readonly tenantId: string } & Told,
    leave: Leave,
    period: Instant | null,
  ): void {
    const { tenantId, customerId, feature, kind, scope } = counter;
    const { counters } = this.of(tenantId);
    const name = nameOf(counter);
    const waits = counters.get(name);
    counters.set(name, {
      told: { customerId, feature, kind, scope },
      leave: soonerOf(leave, waits?.leave),
      period: waits === undefined ? period : laterOf(period, waits.period),
    });
  }

  private of(tenantId: string): Gathered {
    let gathered = this.gathered.get(tenantId);
    if (gathered === undefined) {
      gathered = { wallets: new Map(), counters: new Map() };
      this.gathered.set(tenantId, gathered);
    }
    return gathered;
  }
}

/** Of many that are found at once, each second's share. */
function inTurn(begun: number, place: number): Leave {
  const second = Math.floor(place / MOST_A_SECOND);
  if (second === 0) return AT_ONCE;
  const at = begun + second * 1_000;
  return { slice: at, flush: at };
}

function untoldOfCounter({ included, used, told }: Counter): Nano | null {
  return told === null ? null : included - used - told;
}

function toldBefore(margin: Margin, untold: Nano): Remembered {
  return { margin: marginBefore(margin, untold), at: AT_ONCE.slice };
}

function soonerOf(a: Leave, b: Leave = a): Leave {
  return { slice: Math.min(a.slice, b.slice), flush: Math.min(a.flush, b.flush) };
}

function laterOf(a: Instant | null, b: Instant | null): Instant | null {
  if (a === null || b === null) return null;
  return a > b ? a : b;
}

/** Over all periods; ids have one length, keys of the catalog hold no space. */
function nameOf({ customerId, kind, feature, scope }: Told): string {
  return `${customerId}${kind}${feature} ${scope}`;
}

function* chunksOf<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += MOST_AT_ONCE) yield list.slice(at, at + MOST_AT_ONCE);
}
