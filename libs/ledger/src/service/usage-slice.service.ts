import { Injectable } from '@nestjs/common';
import type { MeteredEvent } from '@tallygate/contracts';
import { formatInstant, Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Database, Outbox, TenantTime } from '@tallygate/platform';
import type { OutboxRecord, Tx } from '@tallygate/platform';
import { chargeUsage, planSlice, rateSlice, SliceCounters, usedUp } from '../domain';
import type { Counter, RatedSlice, WalletCharge } from '../domain';
import { BalanceFeed } from './balance-feed';
import { CounterStore } from './counter-store';
import { quotaChanged, record } from './ledger-facts';
import { UsageStore } from './usage-store';
import type { Identified, SlicePosition } from './usage-store';
import { WalletPosting } from './wallet-posting';
import type { OpenWallet } from './wallet-posting';

export type SliceOutcome =
  | { readonly status: 'applied'; readonly accepted: number; readonly repeated: number; readonly rejected: number }
  /** Everything in it was taken before. */
  | { readonly status: 'already_taken' }
  /** Another process holds the partition now: this one must not go on. */
  | { readonly status: 'fenced' }
  /** Messages between the stored offset and this slice are missing. */
  | { readonly status: 'gap'; readonly stored: bigint; readonly first: bigint };

type Attempt = SliceOutcome | { readonly status: 'stored_before' };

interface Sorted {
  readonly fresh: readonly Identified[];
  readonly rejected: readonly Identified[];
  readonly repeated: number;
}

/**
 * Takes a slice of one partition in one transaction: dedup, rating, burn-down, journal, counters, facts and the
 * partition's next offset commit together or not at all. Most slices hold new events only, so they are inserted
 * outright; when one of them is stored already the attempt writes nothing, and the next one looks them up first.
 */
@Injectable()
export class UsageSliceService {
  constructor(
    private readonly database: Database,
    private readonly usage: UsageStore,
    private readonly counters: CounterStore,
    private readonly posting: WalletPosting,
    private readonly outbox: Outbox,
    private readonly time: TenantTime,
    private readonly feed: BalanceFeed,
    private readonly ids: Ids,
  ) {}

  /** @param position null on a bus without offsets */
  async take(events: readonly MeteredEvent[], position: SlicePosition | null): Promise<SliceOutcome> {
    const identified = this.usage.identify(events);
    const nows = await this.time.nowOf([...new Set(events.map((event) => event.tenantId))]);
    let attempt = await this.attempt(identified, position, nows, false);
    while (attempt.status === 'stored_before') attempt = await this.attempt(identified, position, nows, true);
    return attempt;
  }

  private async attempt(
    identified: readonly Identified[],
    position: SlicePosition | null,
    nows: ReadonlyMap<string, Instant>,
    lookUp: boolean,
  ): Promise<Attempt> {
    const { outcome, gathered, moved } = await this.database.asWorker(async (tx) => {
      const refused = position === null ? null : await this.refuse(tx, position);
      if (refused !== null) return { outcome: refused, gathered: [], moved: [] };
      const known = lookUp ? await this.usage.known(tx, identified.map((one) => one.identity)) : new Map();
      return this.apply(tx, sortOut(identified, known), position, (tenantId) => nowIn(nows, tenantId));
    });
    this.feed.gather(gathered.map((one) => one.draft.wallet), moved);
    this.outbox.wake();
    return outcome;
  }

  private async refuse(tx: Tx, position: SlicePosition): Promise<SliceOutcome | null> {
    const stored = await this.usage.claim(tx, position);
    if (stored === 'fenced') return { status: 'fenced' };
    if (stored >= position.next) return { status: 'already_taken' };
    return stored >= 0n && stored < position.first ? { status: 'gap', stored, first: position.first } : null;
  }

  private async apply(
    tx: Tx,
    { fresh, rejected, repeated }: Sorted,
    position: SlicePosition | null,
    nowOf: (tenantId: string) => Instant,
  ): Promise<{ outcome: Attempt; gathered: readonly OpenWallet[]; moved: readonly Counter[] }> {
    const events = fresh.map((one) => one.event);
    const { rated, flips } = await this.rate(tx, events);
    const { open, walletOf } = await this.burn(tx, rated, nowOf);
    const identities = new Map(fresh.map((one) => [one.event, one.identity]));
    const sliceId = await this.usage.insert(tx, rated.rows, identities, ({ event, unit }) =>
      unit === null ? null : (walletOf.get(walletName(event, unit))?.draft.wallet.id ?? null),
    );
    if (sliceId === null) return { outcome: { status: 'stored_before' }, gathered: [], moved: [] };
    const gathered = await this.posting.close(tx, open, 'flips', sliceId);
    await this.counters.save(tx, rated.counters, (counter) => flips.has(counter));
    await this.usage.park(tx, rated.parked, nowOf);
    await this.outbox.add(tx, [
      ...[...flips].map((counter) => quotaChanged(this.ids.next(), counter, nowOf(counter.tenantId))),
      ...rejected.map((one) => this.rejection(one, nowOf)),
    ]);
    if (position !== null) await this.usage.advance(tx, position);
    const outcome: SliceOutcome = { status: 'applied', accepted: fresh.length, repeated, rejected: rejected.length };
    return { outcome, gathered, moved: rated.counters.filter((counter) => !flips.has(counter)) };
  }

  /** Counters are locked before wallets, by everyone. */
  private async rate(tx: Tx, events: readonly MeteredEvent[]): Promise<{ rated: RatedSlice; flips: Set<Counter> }> {
    const planned = planSlice(events, await this.usage.facts(tx, events));
    const counters = new SliceCounters();
    const keys = counters.keysOf(planned);
    const stored = keys.length === 0 ? [] : await this.counters.lock(tx, keys);
    const before = new Map(stored.map((counter) => [counter, usedUp(counter)]));
    counters.add(stored);
    const rated = rateSlice(planned, counters);
    const flips = rated.counters.filter(
      (counter) => counter.kind === 'quota' && (before.get(counter) ?? false) !== usedUp(counter),
    );
    return { rated, flips: new Set(flips) };
  }

  private async burn(
    tx: Tx,
    { charges }: RatedSlice,
    nowOf: (tenantId: string) => Instant,
  ): Promise<{ open: readonly OpenWallet[]; walletOf: ReadonlyMap<string, OpenWallet> }> {
    const keys = new Map<string, WalletCharge>();
    for (const charge of charges) keys.set(walletName(charge, charge.unit), charge);
    const open = keys.size === 0 ? [] : await this.posting.open(tx, [...keys.values()], nowOf);
    const walletOf = new Map([...keys.keys()].map((name, i) => [name, open[i] as OpenWallet]));
    for (const charge of charges) {
      const wallet = walletOf.get(walletName(charge, charge.unit));
      if (wallet !== undefined) chargeUsage(wallet.draft, charge);
    }
    return { open, walletOf };
  }

  private rejection({ event }: Identified, nowOf: (tenantId: string) => Instant): OutboxRecord {
    return record(event.customerId, {
      id: this.ids.next(),
      type: 'usage.rejected',
      tenantId: event.tenantId,
      occurredAt: formatInstant(nowOf(event.tenantId)),
      data: {
        source: event.source,
        id: event.id,
        customerId: event.customerId,
        code: 'identity_conflict',
        detail: `An event ${event.id} of source ${event.source} with another payload was taken before.`,
        event,
      },
    });
  }
}

/** Of one identity the first payload stands; the same again is a repeat, another one a conflict. */
function sortOut(identified: readonly Identified[], known: ReadonlyMap<string, string>): Sorted {
  const payloads = new Map<string, string>(known);
  const fresh: Identified[] = [];
  const rejected: Identified[] = [];
  let repeated = 0;
  for (const one of identified) {
    const first = payloads.get(one.identity);
    if (first === undefined) {
      payloads.set(one.identity, one.event.payloadHash);
      fresh.push(one);
    } else if (first === one.event.payloadHash) repeated += 1;
    else rejected.push(one);
  }
  return { fresh, rejected, repeated };
}

/** Ids have one length, so the text is unambiguous. */
function walletName(of: { readonly customerId: string }, unit: string): string {
  return of.customerId + unit;
}

function nowIn(nows: ReadonlyMap<string, Instant>, tenantId: string): Instant {
  const now = nows.get(tenantId);
  if (now === undefined) throw new RangeError(`No present known for tenant ${tenantId}`);
  return now;
}
