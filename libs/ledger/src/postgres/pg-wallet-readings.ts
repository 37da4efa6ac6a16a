import { Injectable } from '@nestjs/common';
import type { Instant, Nano } from '@tallygate/kernel';
import { instantFromPg, pgInstant, pgInstantOrNull, uuids } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { allFreeCredit, debtOf, grantsView, heldOf, isValidAt, statementAmount } from '../domain';
import type { EntryKind, Lot, LotState } from '../domain';
import { WalletReadings } from '../service/wallet-reading';
import type { JournalVerdict, Statement, StatementRow, WalletReading } from '../service/wallet-reading';
import { WalletStore } from '../service/wallet-store';
import * as checkpoint from './sql/checkpoint';
import { lotsById } from './sql/correction';
import * as sql from './sql/reading';
import { amountFromPg, lotOf } from './wallet-rows';
import type { LotRow } from './wallet-rows';

interface StatementSqlRow {
  readonly version: bigint;
  readonly posted_at: string;
  readonly effective_at: string;
  readonly kind: EntryKind;
  readonly lot_id: string | null;
  readonly free: string;
  readonly held: string;
  readonly debt: string;
  readonly feature: string | null;
  readonly reference: string | null;
  readonly grant_key: string | null;
}

interface CheckpointSqlRow extends Record<string, unknown> {
  readonly version: bigint;
  readonly debt: string;
  readonly lots: Readonly<Record<string, readonly [string, string, LotState | null]>>;
}

interface MovedSqlRow extends Record<string, unknown> {
  readonly lot_id: string | null;
  readonly free: string;
  readonly held: string;
  readonly debt: string;
  readonly state: LotState | null;
}

/** What a lot's rows add up to, and by what it was closed. */
interface LotSum {
  readonly free: Nano;
  readonly held: Nano;
  readonly state: LotState | null;
}

const NOTHING: LotSum = { free: 0n, held: 0n, state: null };
const LAST_VERSION = 9_223_372_036_854_775_807n;

function sumOfLot([free, held, state]: readonly [string, string, LotState | null]): LotSum {
  return { free: amountFromPg(free), held: amountFromPg(held), state };
}

function added(sum: LotSum = NOTHING, row: MovedSqlRow): LotSum {
  return {
    free: sum.free + amountFromPg(row.free),
    held: sum.held + amountFromPg(row.held),
    state: row.state === 'voided' || sum.state === null ? row.state : sum.state,
  };
}

@Injectable()
export class PgWalletReadings extends WalletReadings {
  constructor(private readonly wallets: WalletStore) {
    super();
  }

  override async now(tx: Tx, walletId: bigint, now: Instant): Promise<WalletReading> {
    await tx.query(sql.shareWallet, [walletId]);
    const locked = (await this.wallets.read(tx, [walletId])).get(walletId);
    if (locked === undefined) throw new Error(`No wallet ${walletId}`);
    const { wallet } = locked;
    const debt = debtOf(wallet);
    const lots = await this.wallets.allLots(tx, walletId);
    return {
      available: allFreeCredit(wallet, now) - debt,
      held: heldOf(wallet),
      debt,
      grants: grantsView(lots, now),
    };
  }

  override async past(tx: Tx, walletId: bigint, at: Instant, knownAt: Instant): Promise<WalletReading> {
    const asked = [walletId, pgInstant(at), pgInstant(knownAt)];
    const { version, debt, lots } = await this.checkpoint(tx, walletId, at < knownAt ? at : knownAt);
    const moved = await tx.query<MovedSqlRow>(checkpoint.movedSince, [...asked, version]);
    const sums = new Map(Object.entries(lots).map(([id, sum]) => [id, sumOfLot(sum)]));
    let owed = debt - (await this.owedByNobody(tx, asked));
    for (const row of moved.rows) {
      owed += amountFromPg(row.debt);
      if (row.lot_id !== null) sums.set(row.lot_id, added(sums.get(row.lot_id), row));
    }
    return this.readingOf(tx, sums, owed, at);
  }

  private async readingOf(
    tx: Tx,
    sums: ReadonlyMap<string, LotSum>,
    debt: Nano,
    at: Instant,
  ): Promise<WalletReading> {
    const stored = await tx.query<LotRow & Record<string, unknown>>(lotsById, [uuids([...sums.keys()])]);
    const lots = stored.rows.map((row): Lot => {
      const { free, held, state } = sums.get(row.id) ?? NOTHING;
      return { ...lotOf(row), remaining: free, held, state: state ?? 'live' };
    });
    const valid = lots.filter((lot) => isValidAt(lot, at));
    const sum = (of: (lot: Lot) => Nano, list = lots): Nano =>
      list.reduce((total, lot) => total + of(lot), 0n);
    return {
      available: sum((lot) => lot.remaining, valid) - debt,
      held: sum((lot) => lot.held),
      debt,
      grants: grantsView(lots, at),
    };
  }

  /** The last one whose rows all count; version 0 where there is none. */
  private async checkpoint(tx: Tx, walletId: bigint, horizon: Instant) {
    const { rows } = await tx.query<CheckpointSqlRow>(checkpoint.checkpointBefore, [
      walletId,
      pgInstant(horizon),
    ]);
    const [row] = rows;
    return row === undefined
      ? { version: 0n, debt: 0n, lots: {} }
      : { version: row.version, debt: amountFromPg(row.debt), lots: row.lots };
  }

  private async owedByNobody(tx: Tx, asked: readonly unknown[]): Promise<Nano> {
    const { rows } = await tx.query<{ amount: string }>(checkpoint.owedByNobody, [...asked]);
    return amountFromPg(rows[0]?.amount ?? '0');
  }

  override async statement(
    tx: Tx,
    walletId: bigint,
    from: Instant | null,
    to: Instant | null,
  ): Promise<Statement> {
    const [since, until] = [pgInstantOrNull(from), pgInstantOrNull(to)];
    const bounds = await tx.query<{ first: bigint | null; last: bigint | null }>(checkpoint.statementBounds, [
      walletId,
      since,
      until,
    ]);
    const first = bounds.rows[0]?.first ?? 0n;
    const last = bounds.rows[0]?.last ?? LAST_VERSION;
    const before = await tx.query<{ balance: string }>(sql.balanceBefore, [walletId, since, first, last]);
    const { rows } = await tx.query<StatementSqlRow & Record<string, unknown>>(sql.statement, [
      walletId,
      since,
      until,
      first,
      last,
    ]);
    const opening = from === null ? 0n : amountFromPg(before.rows[0]?.balance ?? '0');
    let closing = opening;
    const entries = rows.map((row) => {
      closing += amountFromPg(row.free) - amountFromPg(row.debt);
      return { ...statementRowOf(row), balance: closing };
    });
    return { opening, closing, entries };
  }

  override async verify(tx: Tx, tenantId: string): Promise<JournalVerdict> {
    const { rows } = await tx.query<{ unbalanced: bigint; gaps: bigint }>(sql.verify, [tenantId]);
    return { balanced: rows[0]?.unbalanced === 0n, gapless: rows[0]?.gaps === 0n };
  }
}

function statementRowOf(row: StatementSqlRow): Omit<StatementRow, 'balance'> {
  const legs = { lotId: row.lot_id, free: amountFromPg(row.free), debt: amountFromPg(row.debt) };
  return {
    version: row.version,
    at: instantFromPg(row.posted_at),
    effectiveAt: instantFromPg(row.effective_at),
    kind: row.kind,
    amount: statementAmount(legs),
    held: amountFromPg(row.held),
    grant: row.grant_key,
    feature: row.feature,
    reference: row.reference,
  };
}
