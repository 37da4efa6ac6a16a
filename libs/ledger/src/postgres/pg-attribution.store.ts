import { Injectable } from '@nestjs/common';
import { instantFromPg } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { DebtHistory, DrawRow } from '../domain';
import { AttributionStore } from '../service/attribution-store';
import type { PlacedCharge, TracedRow } from '../service/attribution-store';
import { debtHistory, rowsOfSlice } from './draw-rows';
import type { JournalSqlRow } from './draw-rows';
import { drawRowOf } from './draw-rows';
import * as sql from './sql/attribution';
import { amountFromPg } from './wallet-rows';

interface TracedSqlRow extends JournalSqlRow {
  readonly posted_at: string;
  readonly slice_id: bigint | null;
  readonly feature: string | null;
  readonly reference: string | null;
  readonly grant_key: string | null;
}

interface ChargeSqlRow extends Record<string, unknown> {
  readonly kind: PlacedCharge['kind'];
  readonly source: string;
  readonly event_id: string;
  readonly occurred_at: string;
  readonly amount: string;
}

@Injectable()
export class PgAttributionStore extends AttributionStore {
  override async row(tx: Tx, walletId: bigint, version: number): Promise<TracedRow | null> {
    const { rows } = await tx.query<TracedSqlRow>(sql.journalRow, [walletId, version]);
    const [row] = rows;
    if (row === undefined) return null;
    return {
      ...drawRowOf(row),
      postedAt: instantFromPg(row.posted_at),
      sliceId: row.slice_id,
      feature: row.feature,
      reference: row.reference,
      grant: row.grant_key,
    };
  }

  override async rowsOfSlice(
    tx: Tx,
    walletId: bigint,
    sliceId: bigint,
    feature: string,
  ): Promise<readonly DrawRow[]> {
    return rowsOfSlice(tx, walletId, sliceId, feature);
  }

  override async charges(
    tx: Tx,
    walletId: bigint,
    sliceId: bigint,
    feature: string,
  ): Promise<readonly PlacedCharge[]> {
    const { rows } = await tx.query<ChargeSqlRow>(sql.chargesOfSlice, [walletId, sliceId, feature]);
    return rows.map(({ kind, source, event_id: id, occurred_at: at, amount }) => {
      return { kind, source, id, occurredAt: instantFromPg(at), amount: amountFromPg(amount) };
    });
  }

  override async correctedIn(tx: Tx, sliceId: bigint) {
    const { rows } = await tx.query<ChargeSqlRow>(sql.correctedIn, [sliceId]);
    const [row] = rows;
    return row === undefined
      ? null
      : { source: row.source, id: row.event_id, occurredAt: instantFromPg(row.occurred_at) };
  }

  override async debt(tx: Tx, walletId: bigint, debtId: string): Promise<DebtHistory> {
    return debtHistory(tx, walletId, debtId);
  }
}
