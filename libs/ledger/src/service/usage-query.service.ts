import { Injectable } from '@nestjs/common';
import { addMicros, maxInstant, MICROS, minInstant, windowsBetween } from '@tallygate/kernel';
import type { CalendarUnit, Instant } from '@tallygate/kernel';
import type { Meter } from '@tallygate/contracts';
import type { Tx } from '@tallygate/platform';
import { aggregationBefore, MeterHistory } from './meter-history';
import { UsageReadings } from './usage-readings';
import type { UsageAnswer, UsageQuestion } from './usage-readings';

export type UsageWindow = Exclude<CalendarUnit, 'year'>;

export interface UsageRequest {
  readonly tenantId: string;
  readonly customerId: string;
  readonly meter: Pick<Meter, 'key' | 'aggregation'>;
  readonly from: Instant | null;
  /** Exclusive; null: up to and including now. */
  readonly to: Instant | null;
  readonly window: UsageWindow | null;
  readonly zone: string;
  readonly groupBy: readonly string[];
  readonly filter: UsageQuestion['filter'];
  /** Most rows of the answer. */
  readonly limit: number;
  /** The row after which to go on. */
  readonly after: UsageCursor | null;
}

export interface UsageRow {
  readonly start: Instant;
  readonly end: Instant;
  readonly group: Readonly<Record<string, string | null>>;
  readonly value: string | null;
}

/** A row's place in the answer, which later events do not move. */
export interface UsageCursor {
  readonly start: Instant;
  readonly group: string;
}

export type UsageResult =
  | { readonly kind: 'value'; readonly value: string | null }
  | { readonly kind: 'rows'; readonly rows: readonly UsageRow[]; readonly next: UsageCursor | null }
  | { readonly kind: 'too_many_windows'; readonly count: number };

const MOST_WINDOWS = 50_000;
/** No window is shorter, but for those that a change of the clocks cuts. */
const SHORTEST: Readonly<Record<UsageWindow, number>> = {
  minute: MICROS.minute,
  hour: MICROS.hour,
  day: 23 * MICROS.hour,
  week: 167 * MICROS.hour,
  month: 28 * MICROS.day - MICROS.hour,
};
const NOTHING: Readonly<Record<Meter['aggregation'], string | null>> = {
  count: '0',
  sum: '0',
  unique_count: '0',
  min: null,
  max: null,
  avg: null,
  latest: null,
};

/** Usage as metered: one value, or rows per window and group, windows without usage included. */
@Injectable()
export class UsageQuery {
  constructor(
    private readonly readings: UsageReadings,
    private readonly meters: MeterHistory,
  ) {}

  async ask(tx: Tx, request: UsageRequest, now: Instant): Promise<UsageResult> {
    const range = await this.range(tx, request, now);
    const count = countOf(range, request.window);
    if (count > MOST_WINDOWS) return { kind: 'too_many_windows', count };
    const windows = windowsOf(range, request);
    if (request.window !== null || request.groupBy.length > 0) return this.page(tx, request, windows, range);
    const [row] = await this.rows(tx, request, windows, range);
    return { kind: 'value', value: row?.value ?? null };
  }

  /** Every window has a row, so a page needs no more windows than rows. */
  private async page(
    tx: Tx,
    request: UsageRequest,
    windows: readonly Range[],
    range: Range,
  ): Promise<UsageResult> {
    const { limit, after, window } = request;
    const ahead = windows.filter(({ start }) => after === null || window === null || start >= after.start);
    const asked = ahead.slice(0, limit + 1);
    const found = await this.rows(tx, request, asked, range);
    const rows = found.filter((row) => after === null || isAfter(row, after, request));
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const isMore = rows.length > page.length || ahead.length > asked.length;
    return { kind: 'rows', rows: page, next: isMore && last !== undefined ? cursorOf(last, request) : null };
  }

  private async rows(
    tx: Tx,
    request: UsageRequest,
    windows: readonly Range[],
    range: Range,
  ): Promise<readonly UsageRow[]> {
    const { tenantId, meter } = request;
    const versions = await this.meters.of(tx, tenantId, meter.key);
    const runs = runsOf(windows, (end) => aggregationBefore(end, versions, meter.aggregation));
    const answers: UsageAnswer[] = [];
    for (const run of runs) answers.push(...(await this.answers(tx, request, run, range)));
    return rowsOf(windows, answers, request, runs);
  }

  private async answers(
    tx: Tx,
    { tenantId, customerId, meter, groupBy, filter }: UsageRequest,
    { first, windows, aggregation }: Run,
    range: Range,
  ): Promise<readonly UsageAnswer[]> {
    const [head, last] = [windows[0] ?? range, windows.at(-1) ?? range];
    const answers = await this.readings.ask(tx, {
      tenantId,
      customerId,
      meter: meter.key,
      aggregation,
      bounds: [...windows.map((window) => window.start), last.end],
      groupBy,
      filter,
      from: maxInstant(range.start, head.start),
      to: minInstant(range.end, last.end),
    });
    return answers.map((answer) => ({ ...answer, window: answer.window + first }));
  }

  /**
   * From the first event where no start is asked for, which may be up to five minutes ahead of now; where that lies behind
   * the end, the last moment before it, in which there is nothing.
   */
  private async range(tx: Tx, request: UsageRequest, now: Instant): Promise<Range> {
    const end = request.to ?? addMicros(now, 1);
    if (request.from !== null) return { start: request.from, end: maxInstant(request.from, end) };
    const first = await this.readings.first(tx, { ...request, meter: request.meter.key });
    return { start: first === null || first >= end ? addMicros(end, -1) : first, end };
  }
}

interface Range {
  readonly start: Instant;
  readonly end: Instant;
}

/** Windows one after another that one aggregation answers. */
interface Run {
  /** Index of its first window. */
  readonly first: number;
  readonly windows: readonly Range[];
  readonly aggregation: Meter['aggregation'];
}

/** A window that holds a change is answered as it is at its end. */
function runsOf(
  windows: readonly Range[],
  aggregationAt: (end: Instant) => Meter['aggregation'],
): readonly Run[] {
  const runs: { first: number; windows: Range[]; aggregation: Meter['aggregation'] }[] = [];
  windows.forEach((window, first) => {
    const aggregation = aggregationAt(window.end);
    const open = runs.at(-1);
    if (open?.aggregation === aggregation) open.windows.push(window);
    else runs.push({ first, windows: [window], aggregation });
  });
  return runs;
}

/** At least as many as there are: nobody builds a million windows to say that they are too many. */
function countOf({ start, end }: Range, window: UsageWindow | null): number {
  return window === null ? 1 : Math.ceil((end - start) / SHORTEST[window]);
}

/** Whole windows that cover the range. */
function windowsOf(range: Range, { window, zone }: UsageRequest): readonly Range[] {
  return window === null ? [range] : windowsBetween(window, range.start, range.end, zone);
}

function rowsOf(
  windows: readonly Range[],
  answers: readonly UsageAnswer[],
  request: UsageRequest,
  runs: readonly Run[],
): UsageRow[] {
  const byWindow = new Map<number, UsageAnswer[]>();
  for (const answer of answers) {
    const own = byWindow.get(answer.window);
    if (own === undefined) byWindow.set(answer.window, [answer]);
    else own.push(answer);
  }
  return windows.flatMap((window, index) => {
    const { start, end } = window;
    const own = byWindow.get(index) ?? [];
    const run = runs.findLast(({ first }) => first <= index);
    const nothing = NOTHING[run?.aggregation ?? request.meter.aggregation];
    const isTold = request.window !== null || request.groupBy.length === 0;
    if (own.length === 0) return isTold ? [{ start, end, group: {}, value: nothing }] : [];
    const rows = own.map(({ group, value }) => ({ start, end, group, value: value ?? nothing }));
    return rows.sort((a, b) => (groupText(a, request) < groupText(b, request) ? -1 : 1));
  });
}

/** One text for each group, in the order of the keys asked for. */
function groupText({ group }: Pick<UsageRow, 'group'>, { groupBy }: UsageRequest): string {
  return JSON.stringify(groupBy.map((key) => group[key] ?? null));
}

function cursorOf(row: UsageRow, request: UsageRequest): UsageCursor {
  return { start: row.start, group: groupText(row, request) };
}

function isAfter(row: UsageRow, after: UsageCursor, request: UsageRequest): boolean {
  if (request.window !== null && row.start !== after.start) return row.start > after.start;
  return groupText(row, request) > after.group;
}
