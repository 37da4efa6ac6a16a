import { instantFromPg } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import type { DebtHistory, DrawRow, EntryKind } from '../domain';
import * as sql from './sql/correction';
import { amountFromPg } from './wallet-rows';

export interface JournalSqlRow extends Record<string, unknown> {
  readonly version: bigint;
  readonly kind: EntryKind;
  readonly effective_at: string;
  readonly lot_id: string | null;
  readonly debt_id: string | null;
  readonly free: string;
  readonly debt: string;
}

export function drawRowOf(row: JournalSqlRow): DrawRow {
  return {
    version: Number(row.version),
    kind: row.kind,
    effectiveAt: instantFromPg(row.effective_at),
    lotId: row.lot_id,
    debtId: row.debt_id,
    free: amountFromPg(row.free),
    debt: amountFromPg(row.debt),
  };
}

/** Usage, debt and corrections of one feature in one slice, in their order. */
export async function rowsOfSlice(
  tx: Tx,
  walletId: bigint,
  sliceId: bigint,
  feature: string,
): Promise<DrawRow[]> {
  const { rows } = await tx.query<JournalSqlRow>(sql.rowsOfSlice, [sliceId, walletId, feature]);
  return rows.map(drawRowOf);
}

export async function debtHistory(tx: Tx, walletId: bigint, debtId: string): Promise<DebtHistory> {
  const { rows } = await tx.query<JournalSqlRow>(sql.rowsOfDebt, [debtId, walletId]);
  const holes = await tx.query<{ version: bigint; hole_from: string; hole_to: string }>(sql.holesOf, [
    debtId,
  ]);
  return {
    rows: rows.map(drawRowOf),
    holes: holes.rows.map((row) => ({
      version: Number(row.version),
      from: amountFromPg(row.hole_from),
      to: amountFromPg(row.hole_to),
    })),
  };
}
