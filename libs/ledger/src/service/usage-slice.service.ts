import { Injectable } from '@nestjs/common';
import type { MeteredEvent } from '@tallygate/contracts';
import { Ids, invariant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Outbox, TenantTime } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { chargeUsage, planSlice } from '../domain';
import type { Counter, RatedSlice, UsageRow, WalletCharge } from '../domain';
import { BalanceFeed } from './balance-feed';
import { Corrections } from './corrections.service';
import { CounterStore } from './counter-store';
import { Counting } from './counting.service';
import { counterChanged, rejection } from './ledger-facts';
import { UsageStore } from './usage-store';
import type { Generations, Identified, SlicePosition } from './usage-store';
import { WalletPosting } from './wallet-posting';
import type { OpenWallet } from './wallet-posting';

export type SliceOutcome =
  | {
      readonly status: 'applied';
      readonly accepted: number;
      readonly repeated: number;
      readonly rejected: number;
    }
  /** Everything in it was taken before. */
  | { readonly status: 'already_taken' }
  /** Another process holds the partition now: this one must not go on. */
  | { readonly status: 'fenced' }
  /** Messages from the stored offset to this slice are gone, or the log was begun anew before it. */
  | { readonly status: 'gap'; readonly stored: bigint; readonly first: bigint };

const NOTHING_KNOWN: ReadonlyMap<string, string> = new Map();

interface Done {
  /** Changed without their facts having left. */
  readonly wallets: readonly OpenWallet[];
  readonly counters: readonly Counter[];
  readonly told: boolean;
}

interface Taken extends Done {
  readonly outcome: SliceOutcome;
}

type NowOf = (tenantId: string) => Instant;

/** Where a slice comes from and where its events go. */
interface Place {
  readonly position: SlicePosition | null;
  readonly generation: number;
}

interface Sorted {
  readonly fresh: readonly Identified[];
  readonly rejected: readonly Identified[];
  readonly repeated: number;
}

/**
 * Takes a slice of one partition in one transaction: dedup, rating, burn-down, journal, counters, facts and the
 * partition's next offset commit together or not at all. Most slices hold new events only, so they are inserted
 * outright; when one of them is stored already the attempt writes nothing, and the next one looks them up first.
 * A slice that holds corrections is gone through in steps, in the same transaction.
 */
@Injectable()
export class UsageSliceService {
  constructor(
    private readonly usage: UsageStore,
    private readonly counters: CounterStore,
    private readonly counting: Counting,
    private readonly posting: WalletPosting,
    private readonly outbox: Outbox,
    private readonly time: TenantTime,
    private readonly feed: BalanceFeed,
    private readonly ids: Ids,
    private readonly corrections: Corrections,
  ) {}

  /** @param position null on a bus without offsets */
  async take(events: readonly MeteredEvent[], position: SlicePosition | null): Promise<SliceOutcome> {
    const identified = this.usage.identify(events);
    const nows = await this.time.nowOf([...new Set(events.map((event) => event.tenantId))]);
    let taken = await this.attempt(identified, position, nows, false);
    while (taken === 'stored_before') taken = await this.attempt(identified, position, nows, true);
    this.feed.gather(
      taken.wallets.map((one) => one.draft),
      taken.counters,
    );
    if (taken.told) this.outbox.wake();
    return taken.outcome;
  }

  private async attempt(
    identified: readonly Identified[],
    position: SlicePosition | null,
    nows: ReadonlyMap<string, Instant>,
    lookUp: boolean,
  ): Promise<Taken | 'stored_before'> {
    return this.usage.inTransaction(async (tx) => {
      const outcome = position === null ? null : await this.refuse(tx, position);
      if (outcome !== null) return { outcome, wallets: [], counters: [], told: false };
      const generations = await this.usage.generations(tx);
      const known = await this.known(tx, identified, generations, lookUp);
      const now = (tenantId: string): Instant => nowIn(nows, tenantId);
      return this.apply(tx, sortOut(identified, known), { position, generation: generations.current }, now);
    });
  }

  /** What the insert itself cannot find: older generations always, the current one only when it found something. */
  private async known(
    tx: Tx,
    identified: readonly Identified[],
    { current, recent }: Generations,
    lookUp: boolean,
  ): Promise<ReadonlyMap<string, string>> {
    const among = lookUp ? [current, ...recent] : recent;
    if (among.length === 0) return NOTHING_KNOWN;
    return this.usage.known(
      tx,
      identified.map((one) => one.identity),
      among,
    );
  }

  private async refuse(tx: Tx, position: SlicePosition): Promise<SliceOutcome | null> {
    const claimed = await this.usage.claim(tx, position);
    if (claimed === 'fenced') return { status: 'fenced' };
    const stored = claimed < 0n ? 0n : claimed;
    const { first, next, end } = position;
    if (stored < first || (end !== undefined && stored > end)) return { status: 'gap', stored, first };
    return stored >= next ? { status: 'already_taken' } : null;
  }

  private async apply(
    tx: Tx,
    { fresh, rejected, repeated }: Sorted,
    { position, generation }: Place,
    nowOf: NowOf,
  ): Promise<Taken> {
    const { refused, ...done } = fresh.some(isCorrection)
      ? await this.inSteps(tx, fresh, generation, nowOf)
      : { ...(await this.applyEvents(tx, fresh, generation, nowOf)), refused: [] };
    const facts = [
      ...rejected.map((one) => rejection(this.ids.next(), one.event, 'identity_conflict', nowOf)),
      ...refused.map((one) => rejection(this.ids.next(), one.event, 'event_unknown', nowOf)),
    ];
    await this.outbox.add(tx, facts);
    if (position !== null) await this.usage.advance(tx, position);
    return {
      ...done,
      outcome: {
        status: 'applied',
        accepted: fresh.length - refused.length,
        repeated,
        rejected: rejected.length + refused.length,
      },
      told: done.told || facts.length > 0,
    };
  }

  /** The events between corrections together, and each correction where it stands. */
  private async inSteps(
    tx: Tx,
    fresh: readonly Identified[],
    generation: number,
    nowOf: NowOf,
  ): Promise<Done & { readonly refused: readonly Identified[] }> {
    await this.corrections.lockAhead(
      tx,
      fresh.map((one) => one.event),
    );
    const done: Done[] = [];
    const refused: Identified[] = [];
    for (const step of stepsOf(fresh)) {
      if (!isCorrection(step[0])) done.push(await this.applyEvents(tx, step, generation, nowOf));
      else if ((await this.corrections.apply(tx, step[0], nowOf)) === 'event_unknown') refused.push(step[0]);
    }
    return {
      refused,
      wallets: done.flatMap((one) => one.wallets),
      counters: done.flatMap((one) => one.counters),
      // Corrections tell what they change at once.
      told: true,
    };
  }

  private async applyEvents(
    tx: Tx,
    fresh: readonly Identified[],
    generation: number,
    nowOf: NowOf,
  ): Promise<Done> {
    const events = fresh.map((one) => one.event);
    const { rated, flips } = await this.counting.rate(
      tx,
      planSlice(events, await this.usage.facts(tx, events)),
    );
    const wallets = await this.burn(tx, rated, nowOf);
    const identities = new Map(fresh.map((one) => [one.event, one.identity]));
    const walletOf = ({ event, unit }: UsageRow): bigint | null =>
      unit === null ? null : (wallets.get(event.customerId)?.get(unit)?.draft.wallet.id ?? null);
    const sliceId = await this.usage.insert(tx, rated.rows, identities, walletOf, generation);
    const open = [...wallets.values()].flatMap((own) => [...own.values()]);
    const { gathered, told } = await this.posting.close(tx, open, 'flips', sliceId);
    await this.counters.save(tx, rated.counters, (counter) => flips.has(counter));
    await this.usage.park(tx, rated.parked, nowOf);
    const facts = [...flips].map((counter) =>
      counterChanged(this.ids.next(), counter, nowOf(counter.tenantId)),
    );
    await this.outbox.add(tx, facts);
    return {
      wallets: gathered,
      counters: rated.counters.filter((counter) => !flips.has(counter)),
      told: told || facts.length > 0,
    };
  }

  /** Each charge in the order of the events. @returns the wallets by customer and unit */
  private async burn(
    tx: Tx,
    { charges }: RatedSlice,
    nowOf: NowOf,
  ): Promise<ReadonlyMap<string, ReadonlyMap<string, OpenWallet>>> {
    const keys = walletKeysOf(charges);
    const open = keys.length === 0 ? [] : await this.posting.open(tx, keys, nowOf);
    const wallets = new Map<string, Map<string, OpenWallet>>();
    keys.forEach(({ customerId, unit }, i) => {
      const own = wallets.get(customerId) ?? new Map<string, OpenWallet>();
      wallets.set(customerId, own.set(unit, open[i] as OpenWallet));
    });
    for (const charge of charges) {
      const wallet = wallets.get(charge.customerId)?.get(charge.unit);
      invariant(wallet, 'Every charge has an open wallet');
      chargeUsage(wallet.draft, charge);
    }
    return wallets;
  }
}

const isCorrection = ({ event }: Identified): boolean => event.corrects !== undefined;

/** Runs of events, and corrections one by one. */
function stepsOf(fresh: readonly Identified[]): [Identified, ...Identified[]][] {
  const steps: [Identified, ...Identified[]][] = [];
  for (const one of fresh) {
    const open = steps.at(-1);
    if (open === undefined || isCorrection(one) || isCorrection(open[0])) steps.push([one]);
    else open.push(one);
  }
  return steps;
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

function walletKeysOf(charges: readonly WalletCharge[]): WalletCharge[] {
  const seen = new Map<string, Set<string>>();
  return charges.filter(({ customerId, unit }) => {
    const units = seen.get(customerId);
    if (units === undefined) seen.set(customerId, new Set([unit]));
    else if (units.has(unit)) return false;
    else units.add(unit);
    return true;
  });
}

function nowIn(nows: ReadonlyMap<string, Instant>, tenantId: string): Instant {
  const now = nows.get(tenantId);
  if (now === undefined) throw new RangeError(`No present known for tenant ${tenantId}`);
  return now;
}
