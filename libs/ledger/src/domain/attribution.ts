import type { Instant, Nano } from '@tallygate/kernel';
import { invariant, maxNano, minNano } from '@tallygate/kernel';
import type { EntryKind } from './entry';

/** A journal row as attribution reads it. */
export interface DrawRow {
  /** Its place in the wallet's journal. */
  readonly version: number;
  readonly kind: EntryKind;
  readonly effectiveAt: Instant;
  readonly lotId: string | null;
  readonly debtId: string | null;
  readonly free: Nano;
  readonly debt: Nano;
}

/** A stretch of a row's own amount, or of everything a debt ever grew by: [from, to). */
export interface Stretch {
  readonly from: Nano;
  readonly to: Nano;
}

export interface RowPart extends Stretch {
  readonly row: DrawRow;
}

/** A stretch of a debt that a correction took out of it while it was not repaid. */
export interface DebtHole extends Stretch {
  /** Of the correction's row. */
  readonly version: number;
}

/** A debt's own rows, oldest first, and what corrections took out of it. */
export interface DebtHistory {
  readonly rows: readonly DrawRow[];
  readonly holes: readonly DebtHole[];
}

/** What an event holds of a lot or owes of a debt, corrections and repayments considered. */
export type Draw =
  | {
      readonly kind: 'lot';
      /** When it was drawn, in the order of the journal. */
      readonly version: number;
      readonly lotId: string;
      readonly amount: Nano;
      /** Set where the lot repaid the event's debt. */
      readonly debtId: string | null;
      readonly effectiveAt: Instant;
    }
  | ({ readonly kind: 'owed'; readonly debtId: string } & Stretch);

/** What a row moved out of a lot or into a debt. */
export function lengthOf({ free, debt, lotId }: Pick<DrawRow, 'free' | 'debt' | 'lotId'>): Nano {
  return lotId === null ? debt : -free;
}

/**
 * An event's share of its slice: the charges of one feature on one wallet are consecutive stretches of that feature's
 * rows, in the order of the events.
 * @param rows the feature's draws in the slice, in the order of their versions
 */
export function shareOf(rows: readonly DrawRow[], { from, to }: Stretch): RowPart[] {
  const parts: RowPart[] = [];
  let start = 0n;
  for (const row of rows) {
    const end = start + lengthOf(row);
    const part = { row, from: maxNano(from, start) - start, to: minNano(to, end) - start };
    if (part.from < part.to) parts.push(part);
    start = end;
  }
  invariant(to <= start, "An event's charge lies within its slice's rows");
  return parts;
}

/** Where each row that made the debt grow begins, counted over everything the debt ever grew by. */
export function growthOf({ rows }: DebtHistory): ReadonlyMap<number, Nano> {
  const starts = new Map<number, Nano>();
  let end = 0n;
  for (const row of rows.filter((one) => one.debt > 0n)) {
    starts.set(row.version, end);
    end += row.debt;
  }
  return starts;
}

/** Which stretches of a debt were repaid, and by which row: first in, first out, over what corrections had left. */
export function repaidOf({ rows, holes }: DebtHistory): RowPart[] {
  const repaid: RowPart[] = [];
  let next = 0n;
  for (const row of rows.filter((one) => one.kind === 'repayment')) {
    const open = holes
      .filter((hole) => hole.version < row.version)
      .sort((a, b) => (a.from < b.from ? -1 : 1));
    let left = -row.debt;
    while (left > 0n) {
      const hole = open.find((one) => one.to > next);
      if (hole !== undefined && hole.from <= next) {
        next = hole.to;
        continue;
      }
      const to = minNano(next + left, hole?.from ?? next + left);
      repaid.push({ row, from: next, to });
      left -= to - next;
      next = to;
    }
  }
  return repaid;
}

/** The parts of a stretch that none of the others covers. */
export function without(whole: Stretch, covered: readonly Stretch[]): Stretch[] {
  const left: Stretch[] = [];
  let from = whole.from;
  for (const one of [...covered].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    if (one.to <= from || one.from >= whole.to) continue;
    if (one.from > from) left.push({ from, to: one.from });
    from = maxNano(from, one.to);
  }
  if (from < whole.to) left.push({ from, to: whole.to });
  return left;
}

export function overlap(a: Stretch, b: Stretch): Stretch | null {
  const both = { from: maxNano(a.from, b.from), to: minNano(a.to, b.to) };
  return both.from < both.to ? both : null;
}

/**
 * What an event has drawn and owes now, oldest first.
 * @param parts its shares of the journal: as it was first charged, and by amendments that made it dearer
 * @param returned rows of its corrections that gave credit back to lots
 * @param debts histories of the debts among its shares
 */
export function drawsOf(
  parts: readonly RowPart[],
  returned: readonly DrawRow[],
  debts: ReadonlyMap<string, DebtHistory>,
  occurredAt: Instant,
): Draw[] {
  const draws = parts.flatMap((part): Draw[] => {
    const { row, from, to } = part;
    if (row.lotId !== null) {
      const { version, lotId } = row;
      return [{ kind: 'lot', version, lotId, amount: to - from, debtId: null, effectiveAt: occurredAt }];
    }
    const history = row.debtId === null ? undefined : debts.get(row.debtId);
    invariant(row.debtId !== null && history, 'A row without a lot belongs to a debt');
    return debtDraws(row.debtId, history, part);
  });
  draws.sort((a, b) => order(a) - order(b));
  for (const row of returned) takeOff(draws, row);
  return draws;
}

/** What is owed counts as the newest. */
function order(draw: Draw): number {
  return draw.kind === 'lot' ? draw.version : Number.MAX_SAFE_INTEGER;
}

function debtDraws(debtId: string, history: DebtHistory, { row, from, to }: RowPart): Draw[] {
  const start = growthOf(history).get(row.version);
  invariant(start !== undefined, 'A debt has grown by each of its rows');
  const own = { from: start + from, to: start + to };
  const repaid = repaidOf(history);
  const lots = repaid.flatMap((one): Draw[] => {
    const both = overlap(own, one);
    if (both === null || one.row.lotId === null) return [];
    const { version, lotId, effectiveAt } = one.row;
    return [{ kind: 'lot', version, lotId, amount: both.to - both.from, debtId, effectiveAt }];
  });
  const owed = without(own, [...repaid, ...history.holes]);
  return [...lots, ...owed.map((stretch): Draw => ({ kind: 'owed', debtId, ...stretch }))];
}

/** Takes what a correction gave back off the newest draws before it, of the same lot. */
function takeOff(draws: Draw[], returned: DrawRow): void {
  let left = returned.free;
  for (let at = draws.length - 1; at >= 0 && left > 0n; at -= 1) {
    const draw = draws[at];
    if (draw?.kind !== 'lot' || draw.lotId !== returned.lotId || draw.version > returned.version) continue;
    if ((draw.debtId ?? null) !== returned.debtId) continue;
    const taken = minNano(draw.amount, left);
    left -= taken;
    draws.splice(at, 1, ...(taken === draw.amount ? [] : [{ ...draw, amount: draw.amount - taken }]));
  }
  invariant(left === 0n, 'A correction gives back no more than was drawn');
}
