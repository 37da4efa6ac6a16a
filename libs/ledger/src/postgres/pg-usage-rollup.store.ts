import { Injectable } from '@nestjs/common';
import type { Tx } from '@tallygate/platform';
import { UsageRollupStore } from '../service/usage-rollup-store';
import type { Folded } from '../service/usage-rollup-store';
import * as sql from './sql/usage-rollup';

interface DirtyBucket {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly meter: string;
  readonly bucket: string;
}

interface Unfolded {
  readonly slice_id: bigint;
  /** Null where only the slice is known. */
  readonly generation: number | null;
  readonly rows: number | null;
  readonly page: bigint | null;
}

/** Few enough that the statement takes the processors for a moment only. */
const ROWS_AT_ONCE = 16_000;
/** How far before where the table ended a slice begins: nearly always, and after a long wait for others. */
const PAGES_BEFORE = [1_024n, 8_192n];

@Injectable()
export class PgUsageRollupStore extends UsageRollupStore {
  override async fold(tx: Tx, most: number): Promise<Folded> {
    const { rows } = await tx.query<{ claimed: boolean; newest: bigint | null }>(sql.claimFolding);
    const { claimed = false, newest = null } = rows[0] ?? {};
    if (!claimed) return { folded: 0, newest, more: false };
    const slices = await this.foldSlices(tx, most);
    const buckets = await this.recount(tx, most);
    const last = slices.map(({ slice_id }) => slice_id).reduce(later, -1n);
    const more = (newest !== null && last < newest) || buckets === most;
    return { folded: slices.length + buckets, newest, more };
  }

  private async foldSlices(tx: Tx, most: number): Promise<readonly Unfolded[]> {
    const { rows } = await tx.query<Unfolded>(sql.takeUnfolded, [most, ROWS_AT_ONCE]);
    for (const slices of byTable(rows)) if (!(await foldNearby(tx, slices))) await foldAnywhere(tx, slices);
    return rows;
  }

  private async recount(tx: Tx, most: number): Promise<number> {
    const { rows } = await tx.query<DirtyBucket>(sql.takeDirty, [most]);
    if (rows.length === 0) return 0;
    const dirty = [
      rows.map((row) => row.tenant_id),
      rows.map((row) => row.customer_id),
      rows.map((row) => row.meter),
      rows.map((row) => row.bucket),
    ];
    await tx.query(sql.dropBuckets, dirty);
    await tx.query(sql.recountBuckets, dirty);
    return rows.length;
  }
}

/** Those together whose rows one table holds; and those that are known by their id only. */
function byTable(slices: readonly Unfolded[]): readonly Unfolded[][] {
  const groups = new Map<number | null, Unfolded[]>();
  for (const slice of slices) {
    const table = slice.page === null ? null : slice.generation;
    const group = groups.get(table);
    if (group === undefined) groups.set(table, [slice]);
    else group.push(slice);
  }
  return [...groups.values()];
}

/** @returns false: they are not all where they should be, and nothing was folded */
async function foldNearby(tx: Tx, slices: readonly Unfolded[]): Promise<boolean> {
  const pages = slices.map(({ page }) => page).filter((page) => page !== null);
  const generation = slices[0]?.generation ?? null;
  if (generation === null || pages.length < slices.length) return false;
  const ids = slices.map((slice) => slice.slice_id);
  const count = slices.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
  const end = pages.reduce(later);
  for (const before of PAGES_BEFORE) {
    const begin = later(pages.reduce(earlier) - before, 0n);
    const places = [placeOf(begin), placeOf(end)];
    const { rows } = await tx.query<{ whole: boolean }>(sql.foldPlaces, [ids, generation, ...places, count]);
    if (rows[0]?.whole === true) return true;
  }
  return false;
}

async function foldAnywhere(tx: Tx, slices: readonly Unfolded[]): Promise<void> {
  const ids = slices.map((slice) => slice.slice_id);
  await tx.query(sql.foldSlices, [ids, ids.reduce(earlier), ids.reduce(later)]);
}

const earlier = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const placeOf = (page: bigint): string => `(${page},0)`;
