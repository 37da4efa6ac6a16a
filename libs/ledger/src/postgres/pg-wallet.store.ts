import { Injectable } from '@nestjs/common';
import { formatAmount, invariant } from '@tallygate/kernel';
import { instantOrNullFromPg, pgInstant, pgInstantOrNull } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { burnOrder, contraOf, isClosed, sumOf, outstanding, walletDueAt } from '../domain';
import type { Lot, WalletKey } from '../domain';
import { WalletStore } from '../service/wallet-store';
import type { LockedWallet, SavedWork } from '../service/wallet-store';
import { plainArray, textArray } from './array-literal';
import * as sql from './sql/wallet';
import { amountFromPg, debtOfRow, holdOf, lotOf, recurrenceOf } from './wallet-rows';
import type { DebtRow, HoldRow, LotRow, RecurrenceRow, WalletRow } from './wallet-rows';

const MOST_KNOWN = 500_000;

@Injectable()
export class PgWalletStore extends WalletStore {
  /** A wallet's id never changes: known once per process. Only ids that were read back are kept, so a rollback harms nothing. */
  private readonly known = new Map<string, bigint>();

  override async ensure(tx: Tx, keys: readonly WalletKey[]): Promise<readonly bigint[]> {
    const missing = keys.filter((key) => !this.known.has(nameOf(key)));
    const made = missing.length === 0 ? new Map<string, bigint>() : await this.make(tx, missing);
    return keys.map((key) => {
      const id = this.known.get(nameOf(key)) ?? made.get(nameOf(key));
      invariant(id !== undefined, 'A wallet asked for is there');
      return id;
    });
  }

  override async find(tx: Tx, key: WalletKey): Promise<bigint | null> {
    const { rows } = await tx.query<{ id: bigint }>(
      'select id from wallet where tenant_id = $1::uuid and customer_id = $2::uuid and unit = $3',
      [key.tenantId, key.customerId, key.unit],
    );
    return rows[0]?.id ?? null;
  }

  override async lock(tx: Tx, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, LockedWallet>> {
    return this.load(tx, sql.lockWallets, ids);
  }

  override async read(tx: Tx, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, LockedWallet>> {
    return this.load(tx, sql.readWallets, ids);
  }

  override async allLots(tx: Tx, walletId: bigint): Promise<readonly Lot[]> {
    const { rows } = await tx.query<LotRow>(sql.readAllLots, [plainArray([walletId])]);
    return rows.map(lotOf);
  }

  /** In one statement per table; the journal first, so that a broken balance fails before anything else is written. */
  override async save(tx: Tx, work: readonly SavedWork[], sliceId: bigint | null): Promise<void> {
    await saveLotsIssued(tx, work);
    await saveJournal(tx, work, sliceId);
    await saveLots(tx, work);
    await saveDebts(tx, work);
    await saveHolds(tx, work);
    await saveRecurrences(tx, work);
    await saveBalances(tx, work);
  }

  /** A wallet made by a transaction still open is not remembered: only what an insert did not have to make is. */
  private async make(tx: Tx, keys: readonly WalletKey[]): Promise<Map<string, bigint>> {
    const found = await this.ask(tx, keys);
    // A concurrent transaction made one between our snapshot and our insert: its row shows up in the next snapshot.
    if (found.size < new Set(keys.map(nameOf)).size) for (const [name, id] of await this.ask(tx, keys)) found.set(name, id);
    return found;
  }

  private async ask(tx: Tx, keys: readonly WalletKey[]): Promise<Map<string, bigint>> {
    const { rows } = await tx.query<{ id: bigint; made: boolean } & KeyRow>(sql.ensureWallets, [
      plainArray(keys.map((key) => key.tenantId)),
      plainArray(keys.map((key) => key.customerId)),
      textArray(keys.map((key) => key.unit)),
    ]);
    for (const row of rows) if (!row.made) this.remember(nameOf(keyOf(row)), row.id);
    return new Map(rows.map((row) => [nameOf(keyOf(row)), row.id]));
  }

  private remember(name: string, id: bigint): void {
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(name, id);
  }

  private async load(
    tx: Tx,
    statement: { name: string; text: string },
    ids: readonly bigint[],
  ): Promise<ReadonlyMap<bigint, LockedWallet>> {
    const asked = [plainArray(ids)];
    const wallets = await tx.query<WalletRow>(statement, asked);
    const loaded = new Map(wallets.rows.map((row) => [row.id, lockedOf(row)]));
    for (const row of (await tx.query<LotRow>(sql.readLiveLots, asked)).rows) {
      loaded.get(row.wallet_id)?.wallet.lots.push(lotOf(row));
    }
    for (const { wallet } of loaded.values()) if (wallet.lots.length > 1) wallet.lots.sort(burnOrder);
    await loadDebts(tx, loaded);
    await loadDue(tx, loaded);
    return loaded;
  }
}

interface KeyRow {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly unit: string;
}

function keyOf(row: KeyRow): WalletKey {
  return { tenantId: row.tenant_id, customerId: row.customer_id, unit: row.unit };
}

/** Ids have one length, so the text is unambiguous. */
function nameOf(key: WalletKey): string {
  return key.tenantId + key.customerId + key.unit;
}

function lockedOf(row: WalletRow): LockedWallet {
  return {
    wallet: {
      ...keyOf(row),
      id: row.id,
      version: Number(row.version),
      lots: [],
      debts: [],
      holds: [],
      recurrences: [],
      overdraft: amountFromPg(row.overdraft),
      latenessMicros: Number(row.lateness_micros),
      lastExpiryAt: instantOrNullFromPg(row.last_expiry_at),
      lastCreditAt: instantOrNullFromPg(row.last_credit_at),
    },
    revision: Number(row.revision),
    free: amountFromPg(row.free),
    held: amountFromPg(row.held),
    debt: amountFromPg(row.debt),
    dueAt: instantOrNullFromPg(row.due_at),
  };
}

/** Most wallets owe nothing, hold nothing and recur never: those tables are asked for the others only. */
async function loadDebts(tx: Tx, loaded: ReadonlyMap<bigint, LockedWallet>): Promise<void> {
  const owing = [...loaded.values()].filter(({ debt }) => debt > 0n).map(({ wallet }) => wallet.id);
  if (owing.length === 0) return;
  const { rows } = await tx.query<DebtRow>(sql.readOpenDebts, [plainArray(owing)]);
  for (const row of rows) loaded.get(row.wallet_id)?.wallet.debts.push(debtOfRow(row));
}

async function loadDue(tx: Tx, loaded: ReadonlyMap<bigint, LockedWallet>): Promise<void> {
  const due = [...loaded.values()].filter(({ dueAt }) => dueAt !== null).map(({ wallet }) => wallet.id);
  if (due.length === 0) return;
  const ids = [plainArray(due)];
  for (const row of (await tx.query<HoldRow>(sql.readOpenHolds, ids)).rows) {
    loaded.get(row.wallet_id)?.wallet.holds.push(holdOf(row));
  }
  for (const row of (await tx.query<RecurrenceRow>(sql.readRecurrences, ids)).rows) {
    loaded.get(row.wallet_id)?.wallet.recurrences.push(recurrenceOf(row));
  }
}

async function saveJournal(tx: Tx, work: readonly SavedWork[], sliceId: bigint | null): Promise<void> {
  const rows = work.flatMap(({ draft }) => draft.entries.map((entry, i) => ({ entry, wallet: draft.wallet, place: i + 1 })));
  if (rows.length === 0) return;
  await tx.query(sql.insertJournal, [
    plainArray(rows.map((row) => row.wallet.id)),
    plainArray(rows.map((row) => row.wallet.version + row.place)),
    plainArray(rows.map((row) => row.wallet.tenantId)),
    plainArray(rows.map((row) => row.entry.kind)),
    plainArray(rows.map((row) => pgInstant(row.entry.at))),
    plainArray(rows.map((row) => pgInstant(row.entry.effectiveAt))),
    plainArray(rows.map((row) => row.entry.lotId)),
    plainArray(rows.map((row) => row.entry.debtId)),
    textArray(rows.map((row) => row.entry.feature)),
    textArray(rows.map((row) => row.entry.reference)),
    plainArray(rows.map((row) => formatAmount(row.entry.free))),
    plainArray(rows.map((row) => formatAmount(row.entry.held))),
    plainArray(rows.map((row) => formatAmount(row.entry.debt))),
    plainArray(rows.map((row) => formatAmount(contraOf(row.entry)))),
    sliceId,
  ]);
}

async function saveLotsIssued(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const rows = work.flatMap(({ draft }) => [...draft.issued].map((lot) => ({ lot, wallet: draft.wallet })));
  if (rows.length === 0) return;
  await tx.query(sql.insertLots, [
    plainArray(rows.map(({ lot }) => lot.id)),
    plainArray(rows.map(({ wallet }) => wallet.tenantId)),
    plainArray(rows.map(({ wallet }) => wallet.id)),
    plainArray(rows.map(({ lot }) => lot.grantId)),
    plainArray(rows.map(({ lot }) => pgInstant(lot.effectiveAt))),
    plainArray(rows.map(({ lot }) => pgInstantOrNull(lot.expiresAt))),
    plainArray(rows.map(({ lot }) => formatAmount(lot.amount))),
    plainArray(rows.map(({ lot }) => formatAmount(lot.remaining))),
    plainArray(rows.map(({ lot }) => formatAmount(lot.held))),
    plainArray(rows.map(({ lot }) => lot.state)),
    plainArray(rows.map(({ lot }) => isLive(lot))),
  ]);
}

async function saveLots(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const lots = work.flatMap(({ draft }) => [...draft.touchedLots].filter((lot) => !draft.issued.has(lot)));
  if (lots.length === 0) return;
  await tx.query(sql.updateLots, [
    plainArray(lots.map((lot) => lot.id)),
    plainArray(lots.map((lot) => formatAmount(lot.remaining))),
    plainArray(lots.map((lot) => formatAmount(lot.held))),
    plainArray(lots.map((lot) => lot.state)),
    plainArray(lots.map(isLive)),
  ]);
}

function isLive(lot: Lot): boolean {
  return lot.held > 0n || (!isClosed(lot) && lot.remaining > 0n);
}

async function saveDebts(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const rows = work.flatMap(({ draft }) => [...draft.touchedDebts].map((debt) => ({ debt, wallet: draft.wallet })));
  if (rows.length === 0) return;
  await tx.query(sql.upsertDebts, [
    plainArray(rows.map(({ debt }) => debt.id)),
    plainArray(rows.map(({ wallet }) => wallet.tenantId)),
    plainArray(rows.map(({ wallet }) => wallet.id)),
    textArray(rows.map(({ debt }) => debt.feature)),
    plainArray(rows.map(({ debt }) => pgInstant(debt.occurredAt))),
    plainArray(rows.map(({ debt }) => formatAmount(debt.total))),
    plainArray(rows.map(({ debt }) => formatAmount(debt.repaid))),
    plainArray(rows.map(({ debt }) => outstanding(debt) > 0n)),
  ]);
}

async function saveHolds(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const rows = work.flatMap(({ draft }) => [...draft.touchedHolds].map((hold) => ({ hold, draft })));
  if (rows.length === 0) return;
  await tx.query(sql.upsertHolds, [
    plainArray(rows.map(({ hold }) => hold.id)),
    plainArray(rows.map(({ draft }) => draft.wallet.tenantId)),
    plainArray(rows.map(({ draft }) => draft.wallet.id)),
    textArray(rows.map(({ hold }) => hold.key)),
    textArray(rows.map(({ hold }) => hold.feature)),
    plainArray(rows.map(({ hold }) => formatAmount(hold.amount))),
    plainArray(rows.map(({ hold }) => pgInstant(hold.expiresAt))),
    textArray(rows.map(({ hold }) => partsOf(hold.parts))),
    plainArray(rows.map(({ hold }) => hold.state)),
    plainArray(rows.map(({ draft }) => pgInstant(draft.now))),
    plainArray(rows.map(({ hold }) => pgInstantOrNull(hold.resolvedAt))),
  ]);
}

function partsOf(parts: readonly { readonly lotId: string; readonly amount: bigint }[]): string {
  const left = parts.filter((part) => part.amount > 0n);
  return JSON.stringify(left.map((part) => ({ lotId: part.lotId, amount: formatAmount(part.amount) })));
}

async function saveRecurrences(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const rows = work.flatMap(({ draft }) => [...draft.touchedRecurrences]);
  if (rows.length === 0) return;
  await tx.query(sql.updateRecurrences, [
    plainArray(rows.map((row) => row.grantId)),
    plainArray(rows.map((row) => pgInstantOrNull(row.nextAt))),
  ]);
}

/** The balance that was locked plus the fold of what was posted: never computed from lots, so the two can be compared. */
async function saveBalances(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  if (work.length === 0) return;
  const rows = work.map(({ locked, draft, published }) => ({ locked, draft, published, moved: sumOf(draft.entries) }));
  await tx.query(sql.updateWallets, [
    plainArray(rows.map(({ draft }) => draft.wallet.id)),
    plainArray(rows.map(({ draft }) => draft.wallet.version + draft.entries.length)),
    plainArray(rows.map(({ locked }) => locked.revision + 1)),
    plainArray(rows.map(({ locked, moved }) => formatAmount(locked.free + moved.free))),
    plainArray(rows.map(({ locked, moved }) => formatAmount(locked.held + moved.held))),
    plainArray(rows.map(({ locked, moved }) => formatAmount(locked.debt + moved.debt))),
    plainArray(rows.map(({ draft }) => pgInstantOrNull(draft.wallet.lastExpiryAt))),
    plainArray(rows.map(({ draft }) => pgInstantOrNull(draft.wallet.lastCreditAt))),
    plainArray(rows.map(({ draft }) => pgInstantOrNull(walletDueAt(draft.wallet)))),
    plainArray(rows.map(({ published }) => published)),
  ]);
}
