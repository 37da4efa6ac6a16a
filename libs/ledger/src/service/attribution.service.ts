import { Injectable } from '@nestjs/common';
import { invariant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { drawsOf, growthOf, overlap, repaidOf, shareOf, statementAmount } from '../domain';
import type { Draw, DrawRow, EntryKind, Stretch } from '../domain';
import { AttributionStore } from './attribution-store';
import type { PlacedCharge, TracedRow } from './attribution-store';
import { CorrectionStore } from './correction-store';
import type { EventCharge, StoredEvent } from './correction-store';

/** An event's part of a statement's row. */
export interface EventShare {
  readonly source: string;
  readonly id: string;
  readonly occurredAt: Instant;
  /** Of the row's amount, always positive. */
  readonly amount: Nano;
}

/** A row of the journal with the events behind it. */
export interface TracedEntry {
  readonly row: TracedRow;
  readonly events: readonly EventShare[];
}

/** An event's part in one row of one wallet's statement. */
export interface EntryShare {
  readonly version: number;
  readonly kind: EntryKind;
  readonly lotId: string | null;
  /** As on the statement: what was added to the lot or, for debt, to the balance. */
  readonly amount: Nano;
}

/** What a feature charges for an event in one wallet, after its corrections, and where that stands. */
export interface ChargeAccount {
  readonly feature: string;
  readonly unit: string;
  readonly amount: Nano;
  readonly entries: readonly EntryShare[];
  /** What the event holds of each lot now, repayments of its debt included. */
  readonly draws: readonly Extract<Draw, { kind: 'lot' }>[];
  readonly owed: Nano;
}

export interface EventAccount {
  readonly event: StoredEvent;
  readonly state: 'booked' | 'amended' | 'reversed';
  readonly charges: readonly ChargeAccount[];
}

/** From any debit to the events behind it, and from an event to its debits, its debt and what repaid that. */
@Injectable()
export class Attribution {
  constructor(
    private readonly store: AttributionStore,
    private readonly events: CorrectionStore,
  ) {}

  /** Null: there is no such row. */
  async entry(tx: Tx, walletId: bigint, version: number): Promise<TracedEntry | null> {
    const row = await this.store.row(tx, walletId, version);
    return row === null ? null : { row, events: await this.behind(tx, walletId, row) };
  }

  /** Null: no such event was booked. */
  async event(tx: Tx, tenantId: string, identity: string): Promise<EventAccount | null> {
    const event = await this.events.find(tx, tenantId, identity);
    if (event === null) return null;
    const charges: ChargeAccount[] = [];
    for (const group of groupsOf(event)) charges.push(await this.account(tx, event, group));
    return { event, state: stateOf(event), charges };
  }

  private async account(
    tx: Tx,
    event: StoredEvent,
    { walletId, unit, feature, charges }: ChargeGroup,
  ): Promise<ChargeAccount> {
    const { parts, returned, debts } = await this.events.trace(tx, walletId, charges);
    const draws = drawsOf(parts, returned, debts, event.occurredAt);
    const owed = draws.reduce((sum, draw) => (draw.kind === 'owed' ? sum + draw.to - draw.from : sum), 0n);
    const lots = draws.filter((draw) => draw.kind === 'lot');
    const repaid = lots.filter((draw) => draw.debtId !== null).map(repaymentShare);
    const entries = [...parts.map(partShare), ...returned.map(rowShare), ...repaid];
    entries.sort((a, b) => a.version - b.version);
    const amount = charges.reduce((sum, charge) => sum + charge.amount, 0n);
    return { feature, unit, amount, entries, draws: lots, owed };
  }

  private async behind(tx: Tx, walletId: bigint, row: TracedRow): Promise<EventShare[]> {
    switch (row.kind) {
      case 'usage':
      case 'debt':
        return this.ofSlice(tx, walletId, row, { from: 0n, to: row.lotId === null ? row.debt : -row.free });
      case 'correction':
        return this.ofCorrection(tx, row);
      case 'repayment':
        return this.ofRepayment(tx, walletId, row);
      default:
        return [];
    }
  }

  /** A requested debit that the overdraft lent has no slice, and no events. */
  private async ofSlice(tx: Tx, walletId: bigint, row: TracedRow, part: Stretch): Promise<EventShare[]> {
    if (row.sliceId === null || row.feature === null) return [];
    const charges = await this.store.charges(tx, walletId, row.sliceId, row.feature);
    if (charges.every((charge) => charge.kind === 'correction'))
      return charges.map((one) => whole(one, part));
    const rows = await this.store.rowsOfSlice(tx, walletId, row.sliceId, row.feature);
    const start = startOf(rows, row.version);
    return sharesIn(charges, { from: start + part.from, to: start + part.to });
  }

  private async ofCorrection(tx: Tx, row: TracedRow): Promise<EventShare[]> {
    if (row.sliceId === null) return [];
    const amount = statementAmount(row);
    const event = await this.store.correctedIn(tx, row.sliceId);
    return event === null ? [] : [{ ...event, amount: amount < 0n ? -amount : amount }];
  }

  private async ofRepayment(tx: Tx, walletId: bigint, row: TracedRow): Promise<EventShare[]> {
    invariant(row.debtId, 'A repayment names its debt');
    const history = await this.store.debt(tx, walletId, row.debtId);
    const repaid = repaidOf(history).filter((one) => one.row.version === row.version);
    const shares: EventShare[] = [];
    for (const [version, start] of growthOf(history)) {
      const grown = await this.store.row(tx, walletId, version);
      for (const one of grown === null ? [] : repaid) {
        const both = overlap(one, { from: start, to: start + (grown?.debt ?? 0n) });
        if (grown === null || both === null) continue;
        const part = { from: both.from - start, to: both.to - start };
        shares.push(...(await this.ofSlice(tx, walletId, grown, part)));
      }
    }
    return shares;
  }
}

interface ChargeGroup {
  readonly walletId: bigint;
  readonly unit: string;
  readonly feature: string;
  readonly charges: readonly EventCharge[];
}

function groupsOf({ charges }: StoredEvent): ChargeGroup[] {
  const groups = new Map<string, ChargeGroup & { charges: EventCharge[] }>();
  for (const charge of charges) {
    const { walletId, unit, feature } = charge;
    if (walletId === null || unit === null) continue;
    const name = `${walletId}\n${feature}`;
    const group = groups.get(name) ?? { walletId, unit, feature, charges: [] };
    group.charges.push(charge);
    groups.set(name, group);
  }
  return [...groups.values()];
}

function stateOf({ corrections }: StoredEvent): EventAccount['state'] {
  const applied = corrections.filter((one) => one.applied);
  if (applied.some((one) => one.kind === 'reversal')) return 'reversed';
  return applied.length > 0 ? 'amended' : 'booked';
}

function startOf(rows: readonly DrawRow[], version: number): Nano {
  let start = 0n;
  for (const row of rows) {
    if (row.version === version) break;
    start += row.lotId === null ? row.debt : -row.free;
  }
  return start;
}

/** The charges of a slice are consecutive stretches, in the order of the events. */
function sharesIn(charges: readonly PlacedCharge[], part: Stretch): EventShare[] {
  let from = 0n;
  return charges.flatMap(({ source, id, occurredAt, amount }) => {
    const both = overlap({ from, to: from + amount }, part);
    from += amount;
    return both === null ? [] : [{ source, id, occurredAt, amount: both.to - both.from }];
  });
}

function whole({ source, id, occurredAt }: PlacedCharge, { from, to }: Stretch): EventShare {
  return { source, id, occurredAt, amount: to - from };
}

function partShare({ row, from, to }: ReturnType<typeof shareOf>[number]): EntryShare {
  return { version: row.version, kind: row.kind, lotId: row.lotId, amount: from - to };
}

function rowShare(row: DrawRow): EntryShare {
  return { version: row.version, kind: row.kind, lotId: row.lotId, amount: statementAmount(row) };
}

function repaymentShare(draw: Extract<Draw, { kind: 'lot' }>): EntryShare {
  return { version: draw.version, kind: 'repayment', lotId: draw.lotId, amount: -draw.amount };
}
