import { Injectable } from '@nestjs/common';
import type { Instant, Nano } from '@tallygate/kernel';
import { instantFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { allFreeCredit, debtOf, grantsView, heldOf, isValidAt, statementAmount } from '../domain';
import type { EntryKind } from '../domain';
import { WalletReadings } from '../service/wallet-reading';
import type { JournalVerdict, Statement, StatementRow, WalletReading } from '../service/wallet-reading';
import { WalletStore } from '../service/wallet-store';
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
    const lots = (await tx.query<LotRow>(sql.pastLots, asked)).rows.map(lotOf);
    const owed = await tx.query<{ debt: string }>(sql.pastDebt, asked);
    const debt = amountFromPg(owed.rows[0]?.debt ?? '0');
    const valid = lots.filter((lot) => isValidAt(lot, at));
    const sum = (of: (lot: (typeof lots)[number]) => Nano, list = lots): Nano =>
      list.reduce((total, lot) => total + of(lot), 0n);
    return {
      available: sum((lot) => lot.remaining, valid) - debt,
      held: sum((lot) => lot.held),
      debt,
      grants: grantsView(lots, at),
    };
  }

  override async statement(
    tx: Tx,
    walletId: bigint,
    from: Instant | null,
    to: Instant | null,
  ): Promise<Statement> {
    const before = await tx.query<{ balance: string }>(sql.balanceBefore, [walletId, pgInstantOrNull(from)]);
    const { rows } = await tx.query<StatementSqlRow & Record<string, unknown>>(sql.statement, [
      walletId,
      pgInstantOrNull(from),
      pgInstantOrNull(to),
    ]);
    const opening = amountFromPg(before.rows[0]?.balance ?? '0');
    const moved = rows.reduce((sum, row) => sum + amountFromPg(row.free) - amountFromPg(row.debt), 0n);
    return { opening, closing: opening + moved, entries: rows.map(statementRowOf) };
  }

  override async verify(tx: Tx, tenantId: string): Promise<JournalVerdict> {
    const { rows } = await tx.query<{ unbalanced: bigint; gaps: bigint }>(sql.verify, [tenantId]);
    return { balanced: rows[0]?.unbalanced === 0n, gapless: rows[0]?.gaps === 0n };
  }
}

function statementRowOf(row: StatementSqlRow): StatementRow {
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
