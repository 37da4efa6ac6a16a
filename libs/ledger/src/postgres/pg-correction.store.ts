import { Injectable } from '@nestjs/common';
import type { Instant, Nano } from '@tallygate/kernel';
import {
  bigints,
  instantFromPg,
  integers,
  jsonbs,
  numerics,
  pgInstant,
  pgInstantOrNull,
  smallints,
  texts,
  uuids,
} from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { lengthOf, shareOf } from '../domain';
import type { CutDebt, DebtHistory, DrawRow, Lot, PriceRow, RowPart } from '../domain';
import { CorrectionStore } from '../service/correction-store';
import type {
  BookedEvent,
  ChargeTrace,
  CustomerName,
  EventCharge,
  EventRow,
  NewCharge,
  NewCorrection,
  StoredEvent,
} from '../service/correction-store';
import { amountFromPg, lotOf } from './wallet-rows';
import type { LotRow } from './wallet-rows';
import type { BookedSqlRow } from './correction-rows';
import { chargeOfRow, correctionOf, eventRowOf, laterChargeOf } from './correction-rows';
import type { CorrectionSqlRow, EventSqlRow, ChargeSqlRow } from './correction-rows';
import { debtHistory, rowsOfSlice } from './draw-rows';
import * as sql from './sql/correction';

@Injectable()
export class PgCorrectionStore extends CorrectionStore {
  override async lockCustomers(tx: Tx, customers: readonly CustomerName[]): Promise<void> {
    const keys = [uuids(customers.map((one) => one.tenantId)), uuids(customers.map((one) => one.customerId))];
    await tx.query(sql.lockCountersOf, keys);
    await tx.query(sql.lockWalletsOf, keys);
  }

  override async find(tx: Tx, tenantId: string, identity: string): Promise<StoredEvent | null> {
    const { rows } = await tx.query<EventSqlRow>(sql.eventRows, [tenantId, identity]);
    const first = rows[0];
    if (first === undefined) return null;
    const later = await tx.query<ChargeSqlRow>(sql.laterCharges, [identity]);
    const corrections = await tx.query<CorrectionSqlRow>(sql.correctionsOf, [identity]);
    return {
      identity,
      tenantId,
      customerId: first.customer_id,
      source: first.source,
      id: first.event_id,
      occurredAt: instantFromPg(first.occurred_at),
      payload: first.payload,
      sliceId: first.slice_id,
      type: corrections.rows.at(-1)?.type ?? null,
      rows: rows.map(eventRowOf),
      charges: [...rows.flatMap(chargeOfRow), ...later.rows.map(laterChargeOf)],
      corrections: corrections.rows.map(correctionOf),
    };
  }

  override async booked(
    tx: Tx,
    tenantId: string,
    identities: readonly string[],
  ): Promise<readonly BookedEvent[]> {
    const { rows } = await tx.query<BookedSqlRow>(sql.bookedEvents, [tenantId, uuids(identities)]);
    return rows.map(({ source, event_id: id, customer_id: customerId, type, meters }) => {
      return { source, id, customerId, type, meters: meters ?? [] };
    });
  }

  override async trace(tx: Tx, walletId: bigint, charges: readonly EventCharge[]): Promise<ChargeTrace> {
    const parts: RowPart[] = [];
    const returned: DrawRow[] = [];
    for (const charge of charges) {
      const rows = await rowsOfSlice(tx, walletId, charge.sliceId, charge.feature);
      if (charge.kind !== 'correction') parts.push(...(await this.share(tx, walletId, charge, rows)));
      else parts.push(...rows.filter((row) => lengthOf(row) > 0n).map(wholeRow));
      if (charge.kind === 'correction') returned.push(...rows.filter((row) => row.free > 0n));
    }
    return { parts, returned, debts: await this.debtsOf(tx, walletId, parts) };
  }

  private async debtsOf(
    tx: Tx,
    walletId: bigint,
    parts: readonly RowPart[],
  ): Promise<ReadonlyMap<string, DebtHistory>> {
    const owed = new Set(parts.flatMap(({ row }) => (row.debtId === null ? [] : [row.debtId])));
    const debts = new Map<string, DebtHistory>();
    for (const id of owed) debts.set(id, await debtHistory(tx, walletId, id));
    return debts;
  }

  override async lots(tx: Tx, ids: readonly string[]): Promise<readonly Lot[]> {
    if (ids.length === 0) return [];
    const { rows } = await tx.query<LotRow & Record<string, unknown>>(sql.lotsById, [uuids(ids)]);
    return rows.map(lotOf);
  }

  override async chargedBefore(
    tx: Tx,
    event: StoredEvent,
    feature: string,
    row: PriceRow,
    period: { readonly start: Instant; readonly end: Instant | null },
  ): Promise<Nano> {
    const own = event.charges.find((one) => one.feature === feature && one.kind === 'usage');
    const { rows } = await tx.query<{ charged: string }>(sql.chargedBefore, [
      event.tenantId,
      event.customerId,
      feature,
      pgInstant(period.start),
      pgInstantOrNull(period.end),
      own?.sliceId ?? event.sliceId,
      own?.position ?? 1,
      JSON.stringify(Object.fromEntries(row.match)),
    ]);
    return amountFromPg(rows[0]?.charged ?? '0');
  }

  override async rewrite(
    tx: Tx,
    event: StoredEvent,
    rows: readonly EventRow[],
    sliceId: bigint,
  ): Promise<readonly number[]> {
    const { placed, silent } = placesOf(event.rows, rows);
    const kept = placed.filter((row) => row.ordinal < event.rows.length);
    await tx.query(sql.rewriteRows, [event.identity, ...columnsOf([...kept, ...silent])]);
    const added = placed.filter((row) => row.ordinal >= event.rows.length);
    if (added.length > 0) {
      const features = texts(added.map((row) => row.feature));
      await tx.query(sql.addRows, [event.identity, sliceId, ...columnsOf(added), features]);
    }
    return placed.map((row) => row.ordinal);
  }

  override async unpark(tx: Tx, event: Pick<StoredEvent, 'tenantId' | 'source' | 'id'>): Promise<void> {
    await tx.query(sql.unpark, [event.tenantId, event.source, event.id]);
  }

  override async addCorrection(tx: Tx, one: NewCorrection): Promise<boolean> {
    const { event, identity, source, id, kind, applied, type, postedAt, sliceId } = one;
    const whose = [event.tenantId, event.customerId, event.identity];
    const said = [identity, source, id, kind, applied, type];
    const added = await tx.query(sql.addCorrection, [...whose, ...said, pgInstant(postedAt), sliceId]);
    return added.rowCount === 1;
  }

  override async addCharges(
    tx: Tx,
    { tenantId, customerId, identity }: StoredEvent,
    sliceId: bigint,
    charges: readonly NewCharge[],
  ): Promise<void> {
    if (charges.length > 0)
      await tx.query(sql.addCharges, [tenantId, customerId, identity, sliceId, ...chargeColumns(charges)]);
  }

  override async addHoles(
    tx: Tx,
    tenantId: string,
    walletId: bigint,
    cuts: readonly CutDebt[],
  ): Promise<void> {
    if (cuts.length === 0) return;
    await tx.query(sql.addHoles, [
      tenantId,
      walletId,
      uuids(cuts.map((cut) => cut.debtId)),
      bigints(cuts.map((cut) => cut.version)),
      numerics(cuts.map((cut) => cut.from)),
      numerics(cuts.map((cut) => cut.to)),
    ]);
  }

  private async share(
    tx: Tx,
    walletId: bigint,
    { sliceId, feature, position, amount }: EventCharge,
    rows: readonly DrawRow[],
  ): Promise<RowPart[]> {
    if (amount === 0n) return [];
    const ahead = await tx.query<{ ahead: string }>(sql.chargedAhead, [sliceId, walletId, feature, position]);
    const from = amountFromPg(ahead.rows[0]?.ahead ?? '0');
    return shareOf(rows, { from, to: from + amount });
  }
}

function wholeRow(row: DrawRow): RowPart {
  return { row, from: 0n, to: lengthOf(row) };
}

function chargeColumns(charges: readonly NewCharge[]): Buffer[] {
  return [
    integers(charges.map((one) => one.position)),
    texts(charges.map((one) => one.feature)),
    bigints(charges.map((one) => one.walletId)),
    numerics(charges.map((one) => one.amount)),
    numerics(charges.map((one) => one.included)),
  ];
}

/** New rows at the places of the event's own: the same feature's first, so that a charge stays beside its reading. */
function placesOf(own: readonly EventRow[], rows: readonly EventRow[]) {
  const free = [...own];
  let next = own.length;
  const placed = rows.map((row): EventRow => {
    const at = free.findIndex(
      (one) => one.feature === row.feature && (row.feature !== null || sameMeter(one, row)),
    );
    const [place] = at < 0 ? [] : free.splice(at, 1);
    return { ...row, ordinal: place?.ordinal ?? next++ };
  });
  return { placed, silent: free.map(({ ordinal, feature }) => ({ ...SILENT, ordinal, feature })) };
}

const SILENT = { meter: null, quantity: null, value: null, group: {} };

/** A row that says nothing takes any reading. */
function sameMeter(one: EventRow, row: EventRow): boolean {
  return one.meter === row.meter || one.meter === null;
}

function columnsOf(rows: readonly EventRow[]): Buffer[] {
  return [
    smallints(rows.map((row) => row.ordinal)),
    texts(rows.map((row) => row.meter)),
    numerics(rows.map((row) => row.quantity)),
    texts(rows.map((row) => row.value)),
    jsonbs(rows.map(groupText)),
  ];
}

function groupText({ group }: EventRow): string | null {
  return Object.keys(group).length === 0 ? null : JSON.stringify(group);
}
