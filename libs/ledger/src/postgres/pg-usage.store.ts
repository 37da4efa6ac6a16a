import { Injectable } from '@nestjs/common';
import { usageIdentity } from '@tallygate/contracts';
import type { MeteredEvent, Price } from '@tallygate/contracts';
import { invariant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Directory } from '@tallygate/directory';
import {
  bigints,
  Database,
  instants,
  integers,
  jsonbs,
  numerics,
  smallints,
  sqlState,
  texts,
  uuids,
} from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { ratingBook, withAnnounced } from '../domain';
import type { ParkedCharge, RatingBook, SliceFacts, SubscriptionTerms, UsageRow } from '../domain';
import { UsageStore } from '../service/usage-store';
import type { Generations, Identified, LateCharge, SlicePosition, Tenure } from '../service/usage-store';
import { KnownTerms } from './known-terms';
import type { HistoryRow } from './known-terms';
import { announcedPrices } from './sql/announced-price';
import * as sql from './sql/usage';

/** The consumer group under which positions are kept. */
export const USAGE_GROUP = 'ledger.usage';
const UNIQUE_VIOLATION = '23505';
/** The step of the sequence slice_id. */
const SLICES_AT_ONCE = 64;

interface ClaimedRow {
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: bigint;
  readonly epoch: bigint;
}

interface AnnouncedRow {
  readonly tenant_id: string;
  readonly revision: number;
  readonly rows: readonly Price[];
}

@Injectable()
export class PgUsageStore extends UsageStore {
  private readonly books = new Map<string, RatingBook>();
  private readonly terms = new KnownTerms();
  private slices = { next: 0n, left: 0 };

  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
  ) {
    super();
  }

  override identify(events: readonly MeteredEvent[]): readonly Identified[] {
    return events.map((event) => ({
      event,
      identity: usageIdentity(event.tenantId, event.source, event.id),
    }));
  }

  override async inTransaction<T>(work: (tx: Tx) => Promise<T>): Promise<T | 'stored_before'> {
    try {
      return await this.database.asWorker(work);
    } catch (error) {
      if (isStoredIdentity(error)) return 'stored_before';
      throw error;
    }
  }

  override async takeOver(tx: Tx, topic: string, partition: number, owner: string): Promise<Tenure> {
    const { rows } = await tx.query<{ next_offset: bigint; epoch: bigint }>(sql.takeOverPosition, [
      USAGE_GROUP,
      topic,
      partition,
      owner,
    ]);
    const { next_offset: next, epoch } = rows[0] ?? { next_offset: -1n, epoch: 0n };
    return { epoch, next: next < 0n ? null : next };
  }

  override async claim(tx: Tx, positions: readonly SlicePosition[]): Promise<readonly (bigint | 'fenced')[]> {
    const { rows } = await tx.query<ClaimedRow>(sql.claimPositions, [USAGE_GROUP, ...placesOf(positions)]);
    return positions.map(({ topic, partition, epoch }) => {
      const row = rows.find((one) => one.topic === topic && one.partition === partition);
      return row === undefined || row.epoch !== epoch ? 'fenced' : row.next_offset;
    });
  }

  override async advance(tx: Tx, positions: readonly SlicePosition[]): Promise<void> {
    if (positions.length === 0) return;
    const { rowCount } = await tx.query(sql.advancePositions, [
      USAGE_GROUP,
      ...placesOf(positions),
      bigints(positions.map(({ next }) => next)),
      bigints(positions.map(({ epoch }) => epoch)),
    ]);
    if (rowCount === positions.length) return;
    const names = positions.map(({ topic, partition }) => `${topic}/${partition}`);
    throw new Error(`One of the partitions ${names.join(', ')} moved under its lock`);
  }

  override async generations(tx: Tx): Promise<Generations> {
    const { rows } = await tx.query<{ generation: number; current: boolean }>(sql.openGenerations);
    const current = rows.find((row) => row.current)?.generation;
    if (current === undefined) throw new Error('No generation takes new events');
    return { current, recent: rows.filter((row) => !row.current).map((row) => row.generation) };
  }

  override async known(
    tx: Tx,
    identities: readonly string[],
    among?: readonly number[],
  ): Promise<ReadonlyMap<string, string>> {
    const known = new Map<string, string>();
    const asked = uuids(identities);
    for (const generation of among ?? allOf(await this.generations(tx))) {
      const values = [asked, generation];
      const { rows } = await tx.query<{ identity: string; payload: string }>(sql.knownIdentities, values);
      for (const row of rows) known.set(undashed(row.identity), undashed(row.payload));
    }
    return known;
  }

  override async facts(tx: Tx, events: readonly MeteredEvent[]): Promise<SliceFacts> {
    const customers = new Map<string, string>();
    for (const event of events) customers.set(event.customerId, event.tenantId);
    const books = new Map<string, RatingBook | null>();
    const tenants = [...new Set(customers.values())];
    const announced = await this.announced(tx, tenants);
    for (const tenantId of tenants) {
      const book = await this.book(tx, tenantId);
      books.set(tenantId, book && withAnnounced(book, rowsAfter(announced, tenantId, book.revision)));
    }
    const histories = await this.histories(tx, customers);
    return {
      bookOf: (tenantId) => books.get(tenantId) ?? null,
      historyOf: (customerId) => histories.get(customerId) ?? [],
    };
  }

  private async announced(tx: Tx, tenants: readonly string[]): Promise<readonly AnnouncedRow[]> {
    return (await tx.query<AnnouncedRow>(announcedPrices, [uuids(tenants)])).rows;
  }

  override async insert(
    tx: Tx,
    rows: readonly UsageRow[],
    events: readonly Identified[],
    walletOf: (row: UsageRow) => bigint | null,
    generation: number,
  ): Promise<bigint> {
    const sliceId = await this.nextSlice(tx);
    if (rows.length > 0) {
      const parameters = eventParameters(rows, events, walletOf, sliceId);
      await tx.query(sql.insertEvents, [...parameters, generation, rows.length]);
    }
    return sliceId;
  }

  override async park(
    tx: Tx,
    parked: readonly ParkedCharge[],
    nowOf: (tenantId: string) => Instant,
  ): Promise<void> {
    if (parked.length === 0) return;
    await tx.query(sql.insertParked, [
      uuids(parked.map(({ event }) => event.tenantId)),
      uuids(parked.map(({ event }) => event.customerId)),
      texts(parked.map(({ event }) => event.source)),
      texts(parked.map(({ event }) => event.id)),
      texts(parked.map(({ feature }) => feature)),
      instants(parked.map(({ event }) => event.occurredAt)),
      jsonbs(parked.map(({ reading }) => JSON.stringify(reading))),
      instants(parked.map(({ event }) => nowOf(event.tenantId))),
      smallints(parked.map(({ ordinal }) => ordinal)),
    ]);
  }

  override async charge(tx: Tx, charged: readonly LateCharge[]): Promise<bigint> {
    const sliceId = await this.nextSlice(tx);
    await tx.query(sql.chargeEvents, [
      uuids(charged.map(({ parked }) => usageIdentity(parked.tenantId, parked.source, parked.eventId))),
      smallints(charged.map(({ parked }) => parked.ordinal)),
      bigints(charged.map(({ walletId }) => walletId)),
      texts(charged.map(({ row }) => row.feature)),
      numerics(charged.map(({ row }) => row.amount)),
      numerics(charged.map(({ row }) => row.included)),
      sliceId,
    ]);
    return sliceId;
  }

  /** The sequence counts in steps: one look-up names that many slices. What a rollback leaves out is never used. */
  private async nextSlice(tx: Tx): Promise<bigint> {
    if (this.slices.left === 0) {
      const { rows } = await tx.query<{ id: bigint }>(sql.nextSlices);
      this.slices = { next: rows[0]?.id ?? 0n, left: SLICES_AT_ONCE };
    }
    const { next, left } = this.slices;
    this.slices = { next: next + 1n, left: left - 1 };
    return next;
  }

  async book(tx: Tx, tenantId: string): Promise<RatingBook | null> {
    const facts = await this.directory.catalog(tx, tenantId);
    if (facts === null) return null;
    const cached = this.books.get(tenantId);
    if (cached?.revision === facts.revision) return cached;
    const book = ratingBook(facts.revision, facts.catalog);
    this.books.set(tenantId, book);
    return book;
  }

  /** @param customers tenant by customer */
  async histories(
    tx: Tx,
    customers: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, readonly SubscriptionTerms[]>> {
    const { rows } = await tx.query<HistoryRow>(sql.readHistory, [
      uuids([...customers.values()]),
      uuids([...customers.keys()]),
    ]);
    await this.terms.load(tx, rows);
    const histories = new Map<string, SubscriptionTerms[]>();
    for (const row of rows) {
      const history = histories.get(row.customer_id) ?? [];
      history.push(this.terms.of(row));
      histories.set(row.customer_id, history);
    }
    return histories;
  }
}

function placesOf(positions: readonly SlicePosition[]): [Buffer, Buffer] {
  return [texts(positions.map(({ topic }) => topic)), integers(positions.map(({ partition }) => partition))];
}

/** A catalog that came between the two statements has settled its own revision's announcements. */
function rowsAfter(announced: readonly AnnouncedRow[], tenantId: string, revision: number): readonly Price[] {
  return announced.flatMap((one) => (one.tenant_id === tenantId && one.revision > revision ? one.rows : []));
}

function allOf({ current, recent }: Generations): readonly number[] {
  return [current, ...recent];
}

function isStoredIdentity(error: unknown): boolean {
  const where = error as { readonly statement?: string };
  return sqlState(error) === UNIQUE_VIOLATION && where.statement === sql.insertEvents.name;
}

function undashed(uuid: string): string {
  return uuid.replaceAll('-', '');
}

function eventParameters(
  rows: readonly UsageRow[],
  events: readonly Identified[],
  walletOf: (row: UsageRow) => bigint | null,
  sliceId: bigint,
): unknown[] {
  const { places, shared } = sharedOf(rows, walletOf);
  return [
    uuids(identitiesOf(rows, events)),
    smallints(rows.map((row) => row.ordinal)),
    uuids(rows.map((row) => row.event.payloadHash)),
    texts(rows.map((row) => row.event.id)),
    numerics(rows.map((row) => row.quantity)),
    texts(rows.map((row) => row.reading?.value ?? null)),
    instants(rows.map((row) => row.event.occurredAt)),
    numerics(rows.map((row) => row.amount)),
    numerics(rows.map((row) => row.included)),
    sliceId,
    integers(places),
    uuids(shared.map(({ row }) => row.event.tenantId)),
    uuids(shared.map(({ row }) => row.event.customerId)),
    texts(shared.map(({ row }) => row.event.source)),
    texts(shared.map(({ row }) => row.meter)),
    jsonbs(shared.map(({ group }) => group)),
    bigints(shared.map(({ wallet }) => wallet)),
    texts(shared.map(({ row }) => row.feature)),
  ];
}

/** An event has one row or more, one after the other. */
function identitiesOf(rows: readonly UsageRow[], events: readonly Identified[]): string[] {
  let place = 0;
  return rows.map((row) => {
    if (events[place]?.event !== row.event) place += 1;
    const own = events[place];
    invariant(own?.event === row.event, 'Rows are in the order of their events');
    return own.identity;
  });
}

interface Shared {
  readonly row: UsageRow;
  readonly group: string | null;
  readonly wallet: bigint | null;
}

/** What rows have in common, once each, and each row's place among it, from 1. A customer has few: a scan beats a hash. */
function sharedOf(
  rows: readonly UsageRow[],
  walletOf: (row: UsageRow) => bigint | null,
): { places: number[]; shared: Shared[] } {
  const byCustomer = new Map<string, { readonly place: number; readonly of: Shared }[]>();
  const shared: Shared[] = [];
  const places = rows.map((row) => {
    let own = byCustomer.get(row.event.customerId);
    if (own === undefined) byCustomer.set(row.event.customerId, (own = []));
    for (const { place, of } of own) if (isAlike(of.row, row) && isOfGroup(of, row)) return place;
    const of = { row, group: groupOf(row), wallet: walletOf(row) };
    const place = shared.push(of);
    own.push({ place, of });
    return place;
  });
  return { places, shared };
}

function isAlike(a: UsageRow, b: UsageRow): boolean {
  return (
    a.feature === b.feature &&
    a.unit === b.unit &&
    a.meter === b.meter &&
    a.event.source === b.event.source &&
    a.event.tenantId === b.event.tenantId
  );
}

/** Events of one message nearly always share the group itself. */
function isOfGroup({ row: { reading }, group }: Shared, other: UsageRow): boolean {
  return reading?.group === other.reading?.group || group === groupOf(other);
}

function groupOf({ reading }: UsageRow): string | null {
  if (reading === null) return null;
  for (const _ in reading.group) return JSON.stringify(reading.group);
  return null;
}
