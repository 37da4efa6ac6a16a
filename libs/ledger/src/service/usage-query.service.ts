import { Injectable } from '@nestjs/common';
import { addMicros, maxInstant, minInstant, windowsBetween } from '@tallygate/kernel';
import type { CalendarUnit, Instant } from '@tallygate/kernel';
import type { Meter } from '@tallygate/contracts';
import type { Tx } from '@tallygate/platform';
import { aggregationBefore, MeterHistory } from './meter-history';
import { UsageReadings } from './usage-readings';
import type { UsageAnswer } from './usage-readings';

export interface UsageRequest {
  readonly tenantId: string;
  readonly customerId: string;
  readonly meter: Pick<Meter, 'key' | 'aggregation'>;
  readonly from: Instant | null;
  /** Exclusive; null: up to and including now. */
  readonly to: Instant | null;
  readonly window: Extract<CalendarUnit, 'minute' | 'hour' | 'day' | 'month'> | null;
  readonly zone: string;
  readonly groupBy: readonly string[];
}

export interface UsageRow {
  readonly start: Instant;
  readonly end: Instant;
  readonly group: Readonly<Record<string, string | null>>;
  readonly value: string | null;
}

export type UsageResult =
  | { readonly kind: 'value'; readonly value: string | null }
  | { readonly kind: 'rows'; readonly rows: readonly UsageRow[] }
  | { readonly kind: 'too_many_windows'; readonly count: number };

const MOST_WINDOWS = 50_000;
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
    const windows = request.window === null ? [range] : windowsOf(range, request.window, request.zone);
    if (windows.length > MOST_WINDOWS) return { kind: 'too_many_windows', count: windows.length };
    const { tenantId, meter } = request;
    const versions = await this.meters.of(tx, tenantId, meter.key);
    const runs = runsOf(windows, (end) => aggregationBefore(end, versions, meter.aggregation));
    const answers: UsageAnswer[] = [];
    for (const run of runs) answers.push(...(await this.answers(tx, request, run, range)));
    if (request.window === null && request.groupBy.length === 0) {
      return {
        kind: 'value',
        value: answers[0]?.value ?? NOTHING[runs[0]?.aggregation ?? meter.aggregation],
      };
    }
    return { kind: 'rows', rows: rowsOf(windows, answers, request, runs) };
  }

  private async answers(
    tx: Tx,
    { tenantId, customerId, meter, groupBy }: UsageRequest,
    { first, windows, aggregation }: Run,
    range: Range,
  ): Promise<readonly UsageAnswer[]> {
    const [head, last] = [windows[0] ?? range, windows.at(-1) ?? range];
    const answers = await this.readings.ask(tx, {
      tenantId,
      customerId,
      meter: meter.key,
      aggregation,
      groupBy,
      bounds: [...windows.map((window) => window.start), last.end],
      from: maxInstant(range.start, head.start),
      to: minInstant(range.end, last.end),
    });
    return answers.map((answer) => ({ ...answer, window: answer.window + first }));
  }

  /** From the first event where no start is asked for; events may be up to five minutes ahead of now. */
  private async range(tx: Tx, request: UsageRequest, now: Instant): Promise<Range> {
    const end = request.to ?? addMicros(now, 1);
    if (request.from !== null) return { start: request.from, end: maxInstant(request.from, end) };
    const span = await this.readings.span(tx, { ...request, meter: request.meter.key });
    return span === null || span.first >= end
      ? { start: end, end: addMicros(end, 1) }
      : { start: span.first, end };
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

/** Whole windows that cover the range. */
function windowsOf(range: Range, unit: CalendarUnit, zone: string): readonly Range[] {
  return windowsBetween(unit, range.start, range.end, zone);
}

function rowsOf(
  windows: readonly Range[],
  answers: readonly UsageAnswer[],
  request: UsageRequest,
  runs: readonly Run[],
): UsageRow[] {
  const byWindow = new Map<number, UsageAnswer[]>();
  for (const answer of answers) byWindow.set(answer.window, [...(byWindow.get(answer.window) ?? []), answer]);
  return windows.flatMap((window, index) => {
    const own = byWindow.get(index) ?? [];
    const run = runs.findLast(({ first }) => first <= index);
    const nothing = NOTHING[run?.aggregation ?? request.meter.aggregation];
    if (own.length === 0) return request.window === null ? [] : [{ ...window, group: {}, value: nothing }];
    return own.map(({ group, value }) => ({ ...window, group, value: value ?? nothing }));
  });
}
