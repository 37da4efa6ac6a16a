import { Injectable } from '@nestjs/common';
import { addMicros, maxInstant, windowsBetween } from '@tallygate/kernel';
import type { CalendarUnit, Instant } from '@tallygate/kernel';
import type { Meter } from '@tallygate/contracts';
import type { Tx } from '@tallygate/platform';
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
  constructor(private readonly readings: UsageReadings) {}

  async ask(tx: Tx, request: UsageRequest, now: Instant): Promise<UsageResult> {
    const range = await this.range(tx, request, now);
    const windows = request.window === null ? [range] : windowsOf(range, request.window, request.zone);
    if (windows.length > MOST_WINDOWS) return { kind: 'too_many_windows', count: windows.length };
    const answers = windows.length === 0 ? [] : await this.answers(tx, request, windows, range);
    if (request.window === null && request.groupBy.length === 0) {
      return { kind: 'value', value: answers[0]?.value ?? NOTHING[request.meter.aggregation] };
    }
    return { kind: 'rows', rows: rowsOf(windows, answers, request) };
  }

  private async answers(
    tx: Tx,
    { tenantId, customerId, meter, groupBy }: UsageRequest,
    windows: readonly Range[],
    range: Range,
  ): Promise<readonly UsageAnswer[]> {
    const last = windows.at(-1);
    const bounds = [...windows.map((window) => window.start), ...(last === undefined ? [] : [last.end])];
    const asked = { tenantId, customerId, meter: meter.key, aggregation: meter.aggregation, bounds, groupBy };
    return this.readings.ask(tx, { ...asked, from: range.start, to: range.end });
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

/** Whole windows that cover the range. */
function windowsOf(range: Range, unit: CalendarUnit, zone: string): readonly Range[] {
  return windowsBetween(unit, range.start, range.end, zone);
}

function rowsOf(
  windows: readonly Range[],
  answers: readonly UsageAnswer[],
  request: UsageRequest,
): UsageRow[] {
  const nothing = NOTHING[request.meter.aggregation];
  const byWindow = new Map<number, UsageAnswer[]>();
  for (const answer of answers) byWindow.set(answer.window, [...(byWindow.get(answer.window) ?? []), answer]);
  return windows.flatMap((window, index) => {
    const own = byWindow.get(index) ?? [];
    if (own.length === 0) return request.window === null ? [] : [{ ...window, group: {}, value: nothing }];
    return own.map(({ group, value }) => ({ ...window, group, value: value ?? nothing }));
  });
}
