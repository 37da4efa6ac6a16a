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

/** How far from where the table ended a slice may lie, for what others wrote or had got ready meanwhile. */
const PAGES_AROUND = 1_024n;

@Injectable()
export class PgUsageRollupStore extends UsageRollupStore {
  override async fold(tx: Tx, most: number): Promise<Folded> {
    const { rows } = await tx.query<{ claimed: boolean; newest: bigint | null }>(sql.claimFolding);
    const { claimed = false, newest = null } = rows[0] ?? {};
    if (!claimed) return { folded: 0, newest };
    return { folded: (await this.foldSlices(tx, most)) + (await this.recount(tx, most)), newest };
  }

  private async foldSlices(tx: Tx, most: number): Promise<number> {
    const { rows } = await tx.query<Unfolded>(sql.takeUnfolded, [most]);
    for (const slices of byGeneration(rows))
      if (!(await foldPlaces(tx, slices))) await foldAnywhere(tx, slices);
    return rows.length;
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

function byGeneration(slices: readonly Unfolded[]): readonly Unfolded[][] {
  const groups = new Map<number | null, Unfolded[]>();
  for (const slice of slices) {
    const group = groups.get(slice.generation);
    if (group === undefined) groups.set(slice.generation, [slice]);
    else group.push(slice);
  }
  return [...groups.values()];
}

/** @returns false: they are not all there, and nothing was folded */
async function foldPlaces(tx: Tx, slices: readonly Unfolded[]): Promise<boolean> {
  const pages = slices.map(({ page }) => page).filter((page) => page !== null);
  const [generation] = slices.map((slice) => slice.generation);
  if (generation === null || generation === undefined || pages.length < slices.length) return false;
  const [first, last] = [pages.reduce(least), pages.reduce(most)];
  const { rows } = await tx.query<{ whole: boolean }>(sql.foldPlaces, [
    slices.map((slice) => slice.slice_id),
    generation,
    placeOf(first > PAGES_AROUND ? first - PAGES_AROUND : 0n),
    placeOf(last + PAGES_AROUND),
    slices.reduce((sum, slice) => sum + (slice.rows ?? 0), 0),
  ]);
  return rows[0]?.whole === true;
}

async function foldAnywhere(tx: Tx, slices: readonly Unfolded[]): Promise<void> {
  const ids = slices.map((slice) => slice.slice_id);
  await tx.query(sql.foldSlices, [ids, ids.reduce(least), ids.reduce(most)]);
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const placeOf = (page: bigint): string => `(${page},0)`;
