import { Injectable } from '@nestjs/common';
import type { MeteredEvent, MeterReading } from '@tallygate/contracts';
import { formatAmount, Ids, invariant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import {
  changeOf,
  chargeMore,
  drawsOf,
  giveCreditBack,
  isTold,
  noReadings,
  planSlice,
  quantityOf,
  runsOverPeriod,
  SliceCounters,
  subscriptionPeriod,
} from '../domain';
import type {
  Counter,
  FeatureChange,
  FeatureUse,
  ParkedCharge,
  PlannedReading,
  Ratable,
  RatingBook,
} from '../domain';
import { CorrectionStore } from './correction-store';
import type { EventRow, NewCharge, StoredEvent } from './correction-store';
import { CounterStore } from './counter-store';
import { counterChanged } from './ledger-facts';
import { UsageStore } from './usage-store';
import type { Identified } from './usage-store';
import { WalletPosting } from './wallet-posting';
import type { OpenWallet } from './wallet-posting';

export type CorrectionOutcome = 'applied' | 'no_effect' | 'event_unknown';

type NowOf = (tenantId: string) => Instant;

/** What a feature's change does to wallets, wallet by wallet. */
interface WalletMove {
  readonly feature: string;
  readonly unit: string;
  readonly delta: Nano;
}

interface MovedWallet extends WalletMove {
  readonly walletId: bigint;
}

interface Plan {
  readonly old: readonly PlannedReading[];
  readonly now: readonly PlannedReading[];
  readonly counters: SliceCounters;
  readonly changes: readonly FeatureChange[];
}

/**
 * Corrects one event inside its slice's transaction (semantics §2 "Correction"): counters, wallets, what meters read and
 * what waits for a price follow together. A reversed event stays reversed.
 */
@Injectable()
export class Corrections {
  constructor(
    private readonly usage: UsageStore,
    private readonly store: CorrectionStore,
    private readonly counters: CounterStore,
    private readonly posting: WalletPosting,
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  /**
   * A slice with corrections goes through its events in several steps: what any of them may lock is locked before the
   * first one, so that the steps together keep to everyone's order.
   */
  async lockAhead(tx: Tx, events: readonly MeteredEvent[]): Promise<void> {
    const customers = new Map(
      events.map(({ tenantId, customerId }) => [customerId, { tenantId, customerId }]),
    );
    await this.store.lockCustomers(tx, [...customers.values()]);
  }

  async apply(tx: Tx, correction: Identified, nowOf: NowOf): Promise<CorrectionOutcome> {
    const { corrects, tenantId } = correction.event;
    invariant(corrects, 'A correction names its event');
    const [target] = this.usage.identify([{ ...correction.event, ...corrects }]);
    const event = target === undefined ? null : await this.store.find(tx, tenantId, target.identity);
    if (event === null) return 'event_unknown';
    const applied = !event.corrections.some((one) => one.applied && one.kind === 'reversal');
    const sliceId = await this.remember(tx, correction, event, applied, nowOf(tenantId));
    if (sliceId === null || !applied) return 'no_effect';
    const plan = await this.plan(tx, event, correction.event, sliceId);
    await this.move(tx, event, plan, sliceId, nowOf);
    await this.saveCounters(tx, plan.counters, nowOf);
    await this.store.unpark(tx, event);
    const rows = rowsOf(plan);
    const ordinals = await this.store.rewrite(tx, event, rows, sliceId);
    await this.usage.park(tx, parkedOf(event, rows, ordinals), nowOf);
    return 'applied';
  }

  /** A correction is an event too: its identity is claimed as every event's. Null: it was taken before, long ago. */
  private async remember(
    tx: Tx,
    identified: Identified,
    event: StoredEvent,
    applied: boolean,
    postedAt: Instant,
  ): Promise<bigint | null> {
    const { event: correction, identity } = identified;
    const { source, id, type, corrects } = correction;
    const row = { event: correction, ordinal: 0, meter: null, reading: null, quantity: null, ...UNCHARGED };
    const { current } = await this.usage.generations(tx);
    const sliceId = await this.usage.insert(tx, [row], [identified], () => null, current);
    const kind = corrects?.kind ?? 'reversal';
    const said = { identity, source, id, type, kind };
    const added = await this.store.addCorrection(tx, { event, ...said, applied, postedAt, sliceId });
    return added ? sliceId : null;
  }

  private async plan(tx: Tx, event: StoredEvent, correction: MeteredEvent, sliceId: bigint): Promise<Plan> {
    const is = asMetered(event, correction.readings);
    const facts = await this.usage.facts(tx, [is]);
    const was = asMetered(event, readingsOf(event, facts.bookOf(event.tenantId)));
    const [old, now] = [planSlice([was], facts), planSlice([is], facts)];
    const counters = new SliceCounters().for(event);
    counters.add(await this.counters.lock(tx, counters.keysOf([...old, ...now])));
    const [before, after] = [itemsOf(old), itemsOf(now)];
    const valued = [...before.values(), ...after.values()].filter((item) => item.gauge !== null);
    if (valued.length > 0) await this.recount(tx, event, valued, counters, sliceId);
    for (const { counter, value } of await this.counters.counted(tx, counters.valuesOf(now)))
      (counter.value ??= noReadings()).known.add(value);
    const changes: FeatureChange[] = [];
    for (const use of usesOf(event, after)) {
      const item = after.get(use.feature) ?? null;
      const earlier = await this.earlier(tx, event, item);
      const counted = counters.for(event);
      changes.push(changeOf(use, before.get(use.feature) ?? null, item, counted, earlier));
    }
    return { old, now, counters, changes };
  }

  /** Meters that do not add up cannot take an event back: their values are counted anew without it. */
  private async recount(
    tx: Tx,
    event: StoredEvent,
    items: readonly Ratable[],
    counters: SliceCounters,
    sliceId: bigint,
  ): Promise<void> {
    await this.store.rewrite(tx, event, [], sliceId);
    const done = new Set<Counter>();
    for (const { feature, plan, terms, at, gauge } of items) {
      const kind = feature.kind === 'prepaid' ? 'value' : 'quota';
      const counter = counters.for(event)[kind](feature.key, plan, terms, at);
      if (gauge === null || done.has(counter)) continue;
      await this.counters.recount(tx, counter, { gauge, until: counter.periodEnd });
      done.add(counter);
    }
  }

  /** The running total that the event was priced at; asked only where the price needs it. */
  private async earlier(tx: Tx, event: StoredEvent, item: Ratable | null): Promise<Nano> {
    if (item === null || item.row === null || !runsOverPeriod(item.row)) return 0n;
    const period = subscriptionPeriod(item.terms, item.at);
    return this.store.chargedBefore(tx, event, item.feature.key, item.row, period);
  }

  /** Wallet by wallet, each written before the next is read: what one gives back may repay what another owes. */
  private async move(
    tx: Tx,
    event: StoredEvent,
    { changes }: Plan,
    sliceId: bigint,
    nowOf: NowOf,
  ): Promise<void> {
    const moves = changes.flatMap(({ feature, moves: own }) => own.map((one) => ({ feature, ...one })));
    // What comes back is there before what is asked for.
    moves.sort((a, b) => (a.delta < b.delta ? -1 : 1));
    const moved: MovedWallet[] = [];
    for (const one of moves) moved.push(await this.moveOne(tx, event, one, sliceId, nowOf));
    await this.store.addCharges(tx, event, sliceId, chargesOf(changes, moved));
  }

  private async moveOne(
    tx: Tx,
    event: StoredEvent,
    move: WalletMove,
    sliceId: bigint,
    nowOf: NowOf,
  ): Promise<MovedWallet> {
    const { tenantId, customerId } = event;
    const [open] = await this.posting.open(tx, [{ tenantId, customerId, unit: move.unit }], nowOf);
    invariant(open, 'A wallet asked for is opened');
    if (move.delta < 0n) await this.giveBack(tx, event, move, open);
    else chargeMore(open.draft, chargeNameOf(event, move.feature), move.delta);
    await this.posting.close(tx, [open], 'all', sliceId);
    return { ...move, walletId: open.draft.wallet.id };
  }

  private async giveBack(
    tx: Tx,
    event: StoredEvent,
    { feature, delta }: WalletMove,
    { draft }: OpenWallet,
  ): Promise<void> {
    const walletId = draft.wallet.id;
    const own = event.charges.filter((one) => one.feature === feature && one.walletId === walletId);
    const { parts, returned, debts } = await this.store.trace(tx, walletId, own);
    const draws = drawsOf(parts, returned, debts, event.occurredAt);
    const lots = await this.store.lots(
      tx,
      draws.flatMap((draw) => (draw.kind === 'lot' ? [draw.lotId] : [])),
    );
    const stored = new Map(lots.map((lot) => [lot.id, lot]));
    const cuts = giveCreditBack(draft, chargeNameOf(event, feature), -delta, draws, stored);
    await this.store.addHoles(tx, event.tenantId, walletId, cuts);
  }

  private async saveCounters(tx: Tx, counters: SliceCounters, nowOf: NowOf): Promise<void> {
    const moved = [...counters.moved];
    await this.counters.save(tx, moved, isTold);
    const told = moved.filter(isTold);
    await this.outbox.add(
      tx,
      told.map((counter) => counterChanged(this.ids.next(), counter, nowOf(counter.tenantId))),
    );
  }
}

const UNCHARGED = { feature: null, unit: null, amount: null, included: null };

function chargeNameOf({ occurredAt, id }: StoredEvent, feature: string) {
  return { feature, occurredAt, reference: id };
}

/** The stored event as rating takes it. */
function asMetered(event: StoredEvent, readings: readonly MeterReading[]): MeteredEvent {
  const { tenantId, customerId, source, id, occurredAt, payload: payloadHash } = event;
  const named = { tenantId, customerId, subject: '', source, id, type: event.type ?? '' };
  return { ...named, occurredAt, receivedAt: occurredAt, payloadHash, readings };
}

/** What its meters read, with the features that counted it; a further feature's row shows no meter, the catalog knows it. */
function readingsOf({ rows }: StoredEvent, book: RatingBook | null): MeterReading[] {
  const readings = rows.flatMap((row) => (row.meter === null ? [] : [readingOf(row, row.meter)]));
  for (const { feature, quantity, value } of rows) {
    if (feature === null || (quantity === null && value === null)) continue;
    const meter = book?.features.get(feature)?.meter;
    readings.find((one) => one.meter === meter)?.features.push(feature);
  }
  return readings;
}

function readingOf({ quantity, value, group }: EventRow, meter: string): Read {
  const read: Pick<MeterReading, 'quantity' | 'value'> =
    value === null ? { quantity: formatAmount(quantity ?? 0n) } : { value };
  return { meter, ...read, group, features: [] };
}

type Read = MeterReading & { readonly features: string[] };

function itemsOf(planned: readonly PlannedReading[]): ReadonlyMap<string, Ratable> {
  return new Map(
    planned.flatMap(({ ratables }) => ratables.map((item) => [item.feature.key, item] as const)),
  );
}

/** Every feature that has charged or counted the event, or would now. */
function usesOf({ rows, charges }: StoredEvent, after: ReadonlyMap<string, Ratable>): FeatureUse[] {
  const counted = rows.flatMap(({ feature }) => (feature === null ? [] : [feature]));
  const features = new Set([...counted, ...charges.map((one) => one.feature), ...after.keys()]);
  return [...features].map((feature) => {
    const own = charges.filter((one) => one.feature === feature);
    const amounts = new Map<string, Nano>();
    for (const { unit, amount } of own)
      if (unit !== null) amounts.set(unit, (amounts.get(unit) ?? 0n) + amount);
    return {
      feature,
      quantity: rows.find((row) => row.feature === feature)?.quantity ?? 0n,
      included: own.reduce((sum, one) => sum + one.included, 0n),
      amounts,
    };
  });
}

function chargesOf(changes: readonly FeatureChange[], moved: readonly MovedWallet[]): NewCharge[] {
  const counted = changes.filter((change) => change.includedDelta !== 0n);
  const all = [
    ...counted.map((one) => ({ ...one, walletId: null, amount: 0n, included: one.includedDelta })),
    ...moved.map((one) => ({ ...one, amount: one.delta, included: 0n })),
  ];
  return all.map(({ feature, walletId, amount, included }, position) => {
    return { feature, walletId, amount, included, position };
  });
}

/** A row of the event as it is from now on, and what of it waits for a price. */
interface NewRow extends EventRow {
  readonly reading: MeterReading;
  readonly parked: string | null;
}

/** One for every feature that takes a reading, as a slice would have written them. */
function rowsOf({ now, changes }: Plan): NewRow[] {
  const parked = new Set(changes.filter((change) => change.parked).map((change) => change.feature));
  return now.flatMap(({ reading, ratables }): NewRow[] => {
    if (reading === null) return [];
    const keys = ratables.length === 0 ? [null] : ratables.map((item) => item.feature.key);
    return keys.map((key, place) => {
      const waits = key !== null && parked.has(key);
      return {
        ...rowOf(reading, place === 0),
        feature: waits ? null : key,
        reading,
        parked: waits ? key : null,
      };
    });
  });
}

function rowOf(reading: MeterReading, shown: boolean): Omit<EventRow, 'feature'> {
  const quantity = reading.quantity === undefined ? null : quantityOf(reading);
  const meter = shown ? reading.meter : null;
  return { ordinal: 0, meter, quantity, value: reading.value ?? null, group: reading.group };
}

function parkedOf(event: StoredEvent, rows: readonly NewRow[], ordinals: readonly number[]): ParkedCharge[] {
  return rows.flatMap(({ reading, parked }, place) => {
    const ordinal = ordinals[place];
    return parked === null || ordinal === undefined
      ? []
      : [{ event: asMetered(event, []), feature: parked, reading, ordinal }];
  });
}
