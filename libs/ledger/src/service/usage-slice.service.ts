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
import type { Leaving } from './leaving';
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
}

interface Taken extends Done {
  readonly outcomes: readonly SliceOutcome[];
}

type NowOf = (tenantId: string) => Instant;

/** The transaction that slices are taken in. */
interface Taking {
  readonly tx: Tx;
  /** Of the events' table. */
  readonly generation: number;
  readonly nowOf: NowOf;
  readonly leaving: Leaving;
}

/** Events of one partition, in order. */
export interface SlicePart {
  readonly events: readonly MeteredEvent[];
  /** Null on a bus without offsets. */
  readonly position: SlicePosition | null;
}

interface IdentifiedPart {
  readonly identified: readonly Identified[];
  readonly position: SlicePosition | null;
}

interface Sorted {
  readonly fresh: readonly Identified[];
  readonly rejected: readonly Identified[];
  readonly repeated: number;
}

/**
 * Takes slices of one or more partitions in one transaction: dedup, rating, burn-down, journal, counters, facts and each
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
    const [outcome] = await this.takeTogether([{ events, position }]);
    invariant(outcome, 'Every part has an outcome');
    return outcome;
  }

  /** @param parts at most one of each partition @returns the outcome of each; what becomes of one is not another's */
  async takeTogether(parts: readonly SlicePart[]): Promise<readonly SliceOutcome[]> {
    const identified = parts.map(({ events, position }) => ({
      identified: this.usage.identify(events),
      position,
    }));
    const tenants = new Set(parts.flatMap(({ events }) => events.map((event) => event.tenantId)));
    const nows = await this.time.nowOf([...tenants]);
    let taken = await this.attempt(identified, nows, false);
    while (taken === 'stored_before') taken = await this.attempt(identified, nows, true);
    this.feed.gather(taken.wallets, taken.counters);
    return taken.outcomes;
  }

  private async attempt(
    parts: readonly IdentifiedPart[],
    nows: ReadonlyMap<string, Instant>,
    lookUp: boolean,
  ): Promise<Taken | 'stored_before'> {
    const leaving = this.feed.leaving();
    try {
      const taken = await this.tryOnce(parts, nows, lookUp, leaving);
      if (taken === 'stored_before') leaving.failed();
      else leaving.committed();
      return taken;
    } catch (error) {
      leaving.failed();
      throw error;
    }
  }

  private tryOnce(
    parts: readonly IdentifiedPart[],
    nows: ReadonlyMap<string, Instant>,
    lookUp: boolean,
    leaving: Leaving,
  ): Promise<Taken | 'stored_before'> {
    return this.usage.inTransaction(async (tx) => {
      const refused = await this.refuse(tx, parts);
      const open = parts.filter((_, place) => refused[place] === null);
      if (open.length === 0) return { outcomes: refused as SliceOutcome[], wallets: [], counters: [] };
      const generations = await this.usage.generations(tx);
      const known = await this.known(tx, open, generations, lookUp);
      const nowOf = (tenantId: string): Instant => nowIn(nows, tenantId);
      const taking = { tx, generation: generations.current, nowOf, leaving };
      const { outcomes, ...done } = await this.apply(taking, sortOut(open, known));
      await this.usage.advance(tx, positionsOf(open));
      let place = 0;
      return { ...done, outcomes: refused.map((refusal) => refusal ?? (outcomes[place++] as SliceOutcome)) };
    });
  }

  /** What the insert itself cannot find: older generations always, the current one only when it found something. */
  private async known(
    tx: Tx,
    parts: readonly IdentifiedPart[],
    { current, recent }: Generations,
    lookUp: boolean,
  ): Promise<ReadonlyMap<string, string>> {
    const among = lookUp ? [current, ...recent] : recent;
    if (among.length === 0) return NOTHING_KNOWN;
    const identities = parts.flatMap(({ identified }) => identified.map((one) => one.identity));
    return this.usage.known(tx, identities, among);
  }

  /** @returns for each part why it is not taken, or null */
  private async refuse(tx: Tx, parts: readonly IdentifiedPart[]): Promise<readonly (SliceOutcome | null)[]> {
    const positions = positionsOf(parts);
    const claimed = positions.length === 0 ? [] : await this.usage.claim(tx, positions);
    let place = 0;
    return parts.map(({ position }) =>
      position === null ? null : refusal(position, claimed[place++] ?? 'fenced'),
    );
  }

  /** @returns the outcome of each part among what was done */
  private async apply(taking: Taking, parts: readonly Sorted[]): Promise<Taken> {
    const { tx, nowOf } = taking;
    const fresh = parts.flatMap((part) => part.fresh);
    const { refused, ...done } = fresh.some(isCorrection)
      ? await this.inSteps(taking, fresh)
      : { ...(await this.applyEvents(taking, fresh)), refused: new Set<Identified>() };
    const facts = [
      ...parts
        .flatMap(({ rejected }) => rejected)
        .map((one) => rejection(this.ids.next(), one.event, 'identity_conflict', nowOf)),
      ...[...refused].map((one) => rejection(this.ids.next(), one.event, 'event_unknown', nowOf)),
    ];
    await this.outbox.add(tx, facts);
    return { ...done, outcomes: parts.map((part) => applied(part, refused)) };
  }

  /** The events between corrections together, and each correction where it stands. */
  private async inSteps(
    taking: Taking,
    fresh: readonly Identified[],
  ): Promise<Done & { readonly refused: ReadonlySet<Identified> }> {
    const { tx, nowOf } = taking;
    await this.corrections.lockAhead(
      tx,
      fresh.map((one) => one.event),
    );
    const done: Done[] = [];
    const refused = new Set<Identified>();
    for (const step of stepsOf(fresh)) {
      if (!isCorrection(step[0])) done.push(await this.applyEvents(taking, step));
      else if ((await this.corrections.apply(tx, step[0], nowOf)) === 'event_unknown') refused.add(step[0]);
    }
    return {
      refused,
      wallets: done.flatMap((one) => one.wallets),
      counters: done.flatMap((one) => one.counters),
    };
  }

  private async applyEvents(taking: Taking, fresh: readonly Identified[]): Promise<Done> {
    const { tx, generation, nowOf, leaving } = taking;
    const events = fresh.map((one) => one.event);
    const { rated, flips } = await this.counting.rate(
      tx,
      planSlice(events, await this.usage.facts(tx, events)),
    );
    const wallets = await this.burn(tx, rated, nowOf);
    const walletOf = ({ event, unit }: UsageRow): bigint | null =>
      unit === null ? null : (wallets.get(event.customerId)?.get(unit)?.draft.wallet.id ?? null);
    const sliceId = await this.usage.insert(tx, rated.rows, fresh, walletOf, generation);
    const open = [...wallets.values()].flatMap((own) => [...own.values()]);
    const gathered = await this.posting.close(tx, open, (draft) => leaving.takesWallet(draft), sliceId);
    const tells = new Set(
      rated.counters.filter((counter) => flips.has(counter) || leaving.takesCounter(counter)),
    );
    await this.counters.save(tx, rated.counters, (counter) => tells.has(counter));
    await this.usage.park(tx, rated.parked, nowOf);
    const facts = [...tells].map((counter) =>
      counterChanged(this.ids.next(), counter, nowOf(counter.tenantId)),
    );
    await this.outbox.add(tx, facts);
    return {
      wallets: gathered,
      counters: rated.counters.filter((counter) => !tells.has(counter)),
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

function positionsOf(parts: readonly IdentifiedPart[]): SlicePosition[] {
  return parts.flatMap(({ position }) => position ?? []);
}

function refusal({ first, next, end }: SlicePosition, claimed: bigint | 'fenced'): SliceOutcome | null {
  if (claimed === 'fenced') return { status: 'fenced' };
  const stored = claimed < 0n ? 0n : claimed;
  if (stored < first || (end !== undefined && stored > end)) return { status: 'gap', stored, first };
  return stored >= next ? { status: 'already_taken' } : null;
}

function applied({ fresh, rejected, repeated }: Sorted, refused: ReadonlySet<Identified>): SliceOutcome {
  const unknown = refused.size === 0 ? 0 : fresh.filter((one) => refused.has(one)).length;
  const accepted = fresh.length - unknown;
  return { status: 'applied', accepted, repeated, rejected: rejected.length + unknown };
}

/** Of one identity the first payload stands; the same again is a repeat, another one a conflict. */
function sortOut(parts: readonly IdentifiedPart[], known: ReadonlyMap<string, string>): readonly Sorted[] {
  const payloads = new Map<string, string>(known);
  return parts.map(({ identified }) => {
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
  });
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
