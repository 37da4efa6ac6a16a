import { Injectable } from '@nestjs/common';
import { formatAmount, invariant } from '@tallygate/kernel';
import { bigints, booleans, instants, jsonbs, numerics, texts, uuids } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { burnOrder, sumOf, outstanding, walletDueAt } from '../domain';
import type { Lot, WalletKey } from '../domain';
import { WalletStore } from '../service/wallet-store';
import type { LockedWallet, SavedWork } from '../service/wallet-store';
import { sharedInstantOrNull } from './pg-instants';
import { RestingWallets } from './resting-wallets';
import * as sql from './sql/wallet';
import { amountFromPg, debtOfRow, holdOf, isLive, lotOf, recurrenceOf } from './wallet-rows';
import type { DebtRow, HoldRow, LotRow, RecurrenceRow, WalletRow } from './wallet-rows';

const MOST_KNOWN = 500_000;

@Injectable()
export class PgWalletStore extends WalletStore {
  /** A wallet's id never changes: known once per process. What this transaction made may still be rolled back, and is not kept. */
  private readonly known = new Map<string, bigint>();
  private readonly resting = new RestingWallets();

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
    if (ids.length === 0) return new Map();
    const known = ids.reduce((count, id) => count + Number(this.resting.has(id)), 0);
    // Reading all at once costs less than two statements when most have to be read.
    return (known * 2 >= ids.length ? await this.lockKnown(tx, ids) : null) ?? this.lockAll(tx, ids);
  }

  override async read(tx: Tx, ids: readonly bigint[]): Promise<ReadonlyMap<bigint, LockedWallet>> {
    return this.load(tx, (await tx.query<WalletRow>(sql.readWallets, [bigints(ids)])).rows);
  }

  override async allLots(tx: Tx, walletId: bigint): Promise<readonly Lot[]> {
    const { rows } = await tx.query<LotRow>(sql.readAllLots, [bigints([walletId])]);
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
    tx.afterCommit(() => this.resting.rest(work));
  }

  private async lockAll(tx: Tx, ids: readonly bigint[]): Promise<Map<bigint, LockedWallet>> {
    const asked = [bigints(ids)];
    const { rows } = await tx.query<WalletRow & { server: string }>(sql.lockWallets, asked);
    if (rows[0] !== undefined) this.resting.found(rows[0].server);
    return this.load(tx, rows);
  }

  /** @returns null when nothing is known of this server: it locked nothing */
  private async lockKnown(tx: Tx, ids: readonly bigint[]): Promise<Map<bigint, LockedWallet> | null> {
    const { rows } = await tx.query<{ id: bigint; revision: bigint }>(sql.lockKnownWallets, [
      bigints(ids),
      this.resting.server,
    ]);
    if (rows.length === 0) return null;
    const locked = new Map<bigint, LockedWallet>();
    const moved: bigint[] = [];
    for (const { id, revision } of rows) {
      const wallet = this.resting.take(id, Number(revision));
      if (wallet === undefined) moved.push(id);
      else locked.set(id, wallet);
    }
    if (moved.length > 0) for (const [id, wallet] of await this.read(tx, moved)) locked.set(id, wallet);
    return locked;
  }

  /** A wallet made by a transaction still open is not remembered: only what an insert did not have to make is. */
  private async make(tx: Tx, keys: readonly WalletKey[]): Promise<Map<string, bigint>> {
    const found = await this.ask(tx, keys);
    // A concurrent transaction made one between our snapshot and our insert: its row shows up in the next snapshot.
    if (found.size < new Set(keys.map(nameOf)).size)
      for (const [name, id] of await this.ask(tx, keys)) found.set(name, id);
    return found;
  }

  private async ask(tx: Tx, keys: readonly WalletKey[]): Promise<Map<string, bigint>> {
    const { rows } = await tx.query<{ id: bigint; made: boolean } & KeyRow>(sql.ensureWallets, [
      uuids(keys.map((key) => key.tenantId)),
      uuids(keys.map((key) => key.customerId)),
      texts(keys.map((key) => key.unit)),
    ]);
    for (const row of rows) if (!row.made) this.remember(nameOf(keyOf(row)), row.id);
    return new Map(rows.map((row) => [nameOf(keyOf(row)), row.id]));
  }

  private remember(name: string, id: bigint): void {
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(name, id);
  }

  private async load(tx: Tx, wallets: readonly WalletRow[]): Promise<Map<bigint, LockedWallet>> {
    const loaded = new Map(wallets.map((row) => [row.id, lockedOf(row)]));
    const lots = await tx.query<LotRow>(sql.readLiveLots, [bigints([...loaded.keys()])]);
    for (const row of lots.rows) loaded.get(row.wallet_id)?.wallet.lots.push(lotOf(row));
    for (const { wallet } of loaded.values()) if (wallet.lots.length > 1) wallet.lots.sort(burnOrder);
    await loadDebts(tx, loaded);
    await loadHolds(tx, loaded);
    await loadRecurrences(tx, loaded);
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
  const lastExpiryAt = sharedInstantOrNull(row.last_expiry_at);
  const lastCreditAt = sharedInstantOrNull(row.last_credit_at);
  return {
    wallet: {
      tenantId: row.tenant_id,
      customerId: row.customer_id,
      unit: row.unit,
      id: row.id,
      version: Number(row.version),
      lots: [],
      debts: [],
      holds: [],
      recurrences: [],
      overdraft: amountFromPg(row.overdraft),
      latenessMicros: Number(row.lateness_micros),
      lastExpiryAt,
      lastCreditAt,
    },
    revision: Number(row.revision),
    holding: row.holding,
    owing: row.owing,
    lastExpiryAt,
    lastCreditAt,
    dueAt: sharedInstantOrNull(row.due_at),
    untold: row.untold === null ? null : amountFromPg(row.untold),
  };
}

/** Most wallets owe nothing, hold nothing and recur never: those tables are asked for the others only. */
async function loadDebts(tx: Tx, loaded: ReadonlyMap<bigint, LockedWallet>): Promise<void> {
  const owing = [...loaded.values()].filter(({ owing }) => owing).map(({ wallet }) => wallet.id);
  if (owing.length === 0) return;
  const { rows } = await tx.query<DebtRow>(sql.readOpenDebts, [bigints(owing)]);
  for (const row of rows) loaded.get(row.wallet_id)?.wallet.debts.push(debtOfRow(row));
}

async function loadHolds(tx: Tx, loaded: ReadonlyMap<bigint, LockedWallet>): Promise<void> {
  const holding = [...loaded.values()].filter((one) => one.holding).map(({ wallet }) => wallet.id);
  if (holding.length === 0) return;
  const { rows } = await tx.query<HoldRow>(sql.readOpenHolds, [bigints(holding)]);
  for (const row of rows) loaded.get(row.wallet_id)?.wallet.holds.push(holdOf(row));
}

/** A recurring grant is always due some day. */
async function loadRecurrences(tx: Tx, loaded: ReadonlyMap<bigint, LockedWallet>): Promise<void> {
  const due = [...loaded.values()].filter(({ dueAt }) => dueAt !== null).map(({ wallet }) => wallet.id);
  if (due.length === 0) return;
  const { rows } = await tx.query<RecurrenceRow>(sql.readRecurrences, [bigints(due)]);
  for (const row of rows) loaded.get(row.wallet_id)?.wallet.recurrences.push(recurrenceOf(row));
}

async function saveJournal(tx: Tx, work: readonly SavedWork[], sliceId: bigint | null): Promise<void> {
  const rows = work.flatMap(({ draft }) =>
    draft.entries.map((entry, i) => ({ entry, wallet: draft.wallet, place: i + 1 })),
  );
  if (rows.length === 0) return;
  await tx.query(sql.insertJournal, [
    bigints(rows.map((row) => row.wallet.id)),
    bigints(rows.map((row) => row.wallet.version + row.place)),
    uuids(rows.map((row) => row.wallet.tenantId)),
    texts(rows.map((row) => row.entry.kind)),
    instants(rows.map((row) => row.entry.at)),
    instants(rows.map((row) => row.entry.effectiveAt)),
    uuids(rows.map((row) => row.entry.lotId)),
    uuids(rows.map((row) => row.entry.debtId)),
    texts(rows.map((row) => row.entry.feature)),
    texts(rows.map((row) => row.entry.reference)),
    numerics(rows.map((row) => row.entry.free)),
    numerics(rows.map((row) => row.entry.held)),
    numerics(rows.map((row) => row.entry.debt)),
    sliceId,
  ]);
}

async function saveLotsIssued(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const rows = work.flatMap(({ draft }) => [...draft.issued].map((lot) => ({ lot, wallet: draft.wallet })));
  if (rows.length === 0) return;
  await tx.query(sql.insertLots, [
    uuids(rows.map(({ lot }) => lot.id)),
    uuids(rows.map(({ wallet }) => wallet.tenantId)),
    bigints(rows.map(({ wallet }) => wallet.id)),
    uuids(rows.map(({ lot }) => lot.grantId)),
    texts(rows.map(({ lot }) => lot.grantKey)),
    instants(rows.map(({ lot }) => lot.effectiveAt)),
    instants(rows.map(({ lot }) => lot.expiresAt)),
    numerics(rows.map(({ lot }) => lot.amount)),
    numerics(rows.map(({ lot }) => lot.remaining)),
    numerics(rows.map(({ lot }) => lot.held)),
    texts(rows.map(({ lot }) => lot.state)),
    booleans(rows.map(({ lot }) => isLive(lot))),
  ]);
}

async function saveLots(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const lots = work.flatMap(({ draft }) => [...draft.touchedLots].filter((lot) => !draft.issued.has(lot)));
  if (lots.length === 0) return;
  await tx.query(sql.updateLots, [
    uuids(lots.map((lot) => lot.id)),
    numerics(lots.map((lot) => lot.remaining)),
    numerics(lots.map((lot) => lot.held)),
    texts(lots.map((lot) => lot.state)),
    booleans(lots.map(isLive)),
  ]);
}

async function saveDebts(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const rows = work.flatMap(({ draft }) =>
    [...draft.touchedDebts].map((debt) => ({ debt, wallet: draft.wallet })),
  );
  if (rows.length === 0) return;
  await tx.query(sql.upsertDebts, [
    uuids(rows.map(({ debt }) => debt.id)),
    uuids(rows.map(({ wallet }) => wallet.tenantId)),
    bigints(rows.map(({ wallet }) => wallet.id)),
    texts(rows.map(({ debt }) => debt.feature)),
    instants(rows.map(({ debt }) => debt.occurredAt)),
    numerics(rows.map(({ debt }) => debt.total)),
    numerics(rows.map(({ debt }) => debt.repaid)),
    booleans(rows.map(({ debt }) => outstanding(debt) > 0n)),
  ]);
}

async function saveHolds(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  const rows = work.flatMap(({ draft }) => [...draft.touchedHolds].map((hold) => ({ hold, draft })));
  if (rows.length === 0) return;
  await tx.query(sql.upsertHolds, [
    uuids(rows.map(({ hold }) => hold.id)),
    uuids(rows.map(({ draft }) => draft.wallet.tenantId)),
    bigints(rows.map(({ draft }) => draft.wallet.id)),
    texts(rows.map(({ hold }) => hold.key)),
    texts(rows.map(({ hold }) => hold.feature)),
    numerics(rows.map(({ hold }) => hold.amount)),
    instants(rows.map(({ hold }) => hold.expiresAt)),
    jsonbs(rows.map(({ hold }) => partsOf(hold.parts))),
    texts(rows.map(({ hold }) => hold.state)),
    instants(rows.map(({ draft }) => draft.now)),
    instants(rows.map(({ hold }) => hold.resolvedAt)),
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
    uuids(rows.map((row) => row.grantId)),
    instants(rows.map((row) => row.nextAt)),
  ]);
}

/**
 * Balances move by the fold of what was posted, never by what lots say, so that the two can be compared. Marks (what is
 * due, how credit ended, what was published) change rarely: most wallets of a slice only move.
 */
async function saveBalances(tx: Tx, work: readonly SavedWork[]): Promise<void> {
  if (work.length === 0) return;
  const rows = work.map(({ locked, draft }) => ({ locked, draft, moved: sumOf(draft.entries) }));
  await tx.query(sql.moveWallets, [
    bigints(rows.map(({ draft }) => draft.wallet.id)),
    bigints(rows.map(({ draft }) => draft.wallet.version + draft.entries.length)),
    bigints(rows.map(({ locked }) => locked.revision + 1)),
    numerics(rows.map(({ moved }) => moved.free)),
    numerics(rows.map(({ moved }) => moved.held)),
    numerics(rows.map(({ moved }) => moved.debt)),
  ]);
  const marked = work
    .map(({ locked, draft, published }) => ({
      locked,
      draft,
      published,
      dueAt: walletDueAt(draft.wallet),
    }))
    .filter(({ locked, draft, dueAt, published }) => {
      const { lastExpiryAt, lastCreditAt } = draft.wallet;
      return (
        published ||
        dueAt !== locked.dueAt ||
        lastExpiryAt !== locked.lastExpiryAt ||
        lastCreditAt !== locked.lastCreditAt
      );
    });
  if (marked.length === 0) return;
  await tx.query(sql.markWallets, [
    bigints(marked.map(({ draft }) => draft.wallet.id)),
    instants(marked.map(({ draft }) => draft.wallet.lastExpiryAt)),
    instants(marked.map(({ draft }) => draft.wallet.lastCreditAt)),
    instants(marked.map(({ dueAt }) => dueAt)),
    booleans(marked.map(({ published }) => published)),
  ]);
}
