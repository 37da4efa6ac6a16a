import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { JournalSeals } from '../service/journal-seals';
import type { ChainFault, ChainVerdict, SealHead, SealRound } from '../service/journal-seals';
import * as sql from './sql/seal';

/** Wallets looked at, and rows sealed, by one statement: some 100 ms of one core at the most. */
const WALLETS_A_ROUND = 20_000;
const ROWS_A_ROUND = 5_000;
const WALLETS_A_CHECK = 2_000;

interface SealRow {
  readonly scanned: number;
  readonly last_scanned: bigint | null;
  readonly last_due: bigint | null;
  readonly more_due: boolean;
  readonly rows: bigint;
  readonly broken: readonly bigint[] | null;
}

interface CheckRow {
  readonly looked: number;
  readonly last: bigint | null;
  readonly sealed_rows: bigint;
  readonly open_rows: bigint;
  readonly suspect_wallet: bigint | null;
  readonly suspect_first: bigint;
  readonly suspect_last: bigint;
  readonly suspect_sealed: boolean;
}

interface BadRow {
  readonly version: bigint;
  readonly differs: string;
}

@Injectable()
export class PgJournalSeals extends JournalSeals {
  override async begin(tx: Tx): Promise<boolean> {
    return (await tx.query(sql.tryToSeal)).rowCount === 1;
  }

  override async seal(tx: Tx, after: bigint, at: Instant): Promise<SealRound> {
    const limits = [after, WALLETS_A_ROUND, ROWS_A_ROUND, pgInstant(at)];
    const { rows } = await tx.query<SealRow & Record<string, unknown>>(sql.sealJournal, limits);
    const row = rows[0];
    if (row === undefined) throw new Error('Sealing answers one row');
    return { next: nextOf(row), rows: row.rows, broken: row.broken ?? [] };
  }

  override async tenants(tx: Tx): Promise<readonly string[]> {
    const { rows } = await tx.query<{ tenant_id: string }>(sql.journalTenants);
    return rows.map((row) => row.tenant_id);
  }

  /** Rows first, since a row says more than the seal over it. */
  override async verify(tx: Tx, tenantId: string): Promise<ChainVerdict> {
    const head = await this.headOf(tx, tenantId, null);
    let [sealedRows, openRows, after] = [0n, 0n, 0n];
    for (;;) {
      const check = await this.check(tx, tenantId, after);
      sealedRows += check.sealed_rows;
      openRows += check.open_rows;
      if (check.suspect_wallet !== null)
        return { sealedRows, openRows, head, fault: await this.nameRow(tx, check, check.suspect_wallet) };
      if (check.last === null || check.looked < WALLETS_A_CHECK) break;
      after = check.last;
    }
    return { sealedRows, openRows, head, fault: await this.beyondWallets(tx, tenantId) };
  }

  override sealOf(tx: Tx, tenantId: string, seq: bigint): Promise<SealHead | null> {
    return this.headOf(tx, tenantId, seq);
  }

  private async headOf(tx: Tx, tenantId: string, seq: bigint | null): Promise<SealHead | null> {
    const { rows } = await tx.query<{ seq: bigint; hash: string; sealed_at: string }>(sql.lastSeal, [
      tenantId,
      seq,
    ]);
    const row = rows[0];
    return row === undefined
      ? null
      : { seq: row.seq, hash: row.hash, sealedAt: instantFromPg(row.sealed_at) };
  }

  private async check(tx: Tx, tenantId: string, after: bigint): Promise<CheckRow> {
    const asked = [tenantId, after, WALLETS_A_CHECK];
    const { rows } = await tx.query<CheckRow & Record<string, unknown>>(sql.checkWallets, asked);
    if (rows[0] === undefined) throw new Error('Checking wallets answers one row');
    return rows[0];
  }

  private async nameRow(tx: Tx, check: CheckRow, walletId: bigint): Promise<ChainFault> {
    const { suspect_first: first, suspect_last: last } = check;
    const { rows } = check.suspect_sealed
      ? await tx.query<BadRow & Record<string, unknown>>(sql.firstBadRow, [walletId, first, last])
      : await tx.query<BadRow & Record<string, unknown>>(sql.firstBadOpenRow, [walletId, first]);
    const bad = rows[0] ?? {
      version: first,
      differs: `the seal of versions ${first} to ${last} was changed`,
    };
    return this.faultOf(tx, walletId, bad);
  }

  /** What no wallet shows: rows without one, and the chain of seals itself. */
  private async beyondWallets(tx: Tx, tenantId: string): Promise<ChainFault | null> {
    const orphans = await tx.query<BadRow & { wallet_id: bigint }>(sql.orphan, [tenantId]);
    const [lost] = orphans.rows;
    if (lost !== undefined) return this.faultOf(tx, lost.wallet_id, lost);
    const seals = await tx.query<{ seq: bigint; differs: string }>(sql.firstBadSeal, [tenantId]);
    const [bad] = seals.rows;
    return bad === undefined ? null : { wallet: null, version: null, seal: bad.seq, differs: bad.differs };
  }

  private async faultOf(tx: Tx, id: bigint, { version, differs }: BadRow): Promise<ChainFault> {
    const { rows } = await tx.query<{ unit: string; customer: string | null }>(sql.walletOwner, [id]);
    const { unit = null, customer = null } = rows[0] ?? {};
    return { wallet: { id, customer, unit }, version, seal: null, differs };
  }
}

/** Wallets that were due and did not fit in come first in the next round. */
function nextOf({ scanned, last_scanned, last_due, more_due }: SealRow): bigint | null {
  if (more_due) return last_due;
  return scanned < WALLETS_A_ROUND ? null : last_scanned;
}
