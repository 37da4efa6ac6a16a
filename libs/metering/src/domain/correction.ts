import { fault } from './fault';
import type { Fault } from './fault';
import { isJsonObject } from './json';
import type { JsonObject } from './json';
import { textFault } from './text';
import type { UsageEvent } from './usage-event';

/** What a correction says: which event is wrong, and what becomes of it. */
export interface Correction {
  readonly source: string;
  readonly id: string;
  /** The corrected event's type, for an event that no meter has read; else it is known. */
  readonly type: string | null;
  readonly change: { readonly kind: 'reversal' } | { readonly kind: 'amendment'; readonly data: JsonObject };
}

/**
 * The data of a correction: `id` and, unless it is the correction's own, `source` of the event that is wrong; then
 * `reverse: true`, or `data` as a whole as it should have been.
 */
export function readCorrection({ source, data }: UsageEvent, faults: Fault[]): Correction {
  const before = faults.length;
  const corrected = {
    source: nameIn('data.source', data['source'] ?? source, faults),
    id: nameIn('data.id', data['id'], faults),
    type: data['type'] === undefined ? null : nameIn('data.type', data['type'], faults),
  };
  const amended = data['data'];
  if (data['reverse'] !== undefined && data['reverse'] !== true)
    faults.push(
      fault('data.reverse', data['reverse'], 'is not true', 'Send true, or data to amend the event.'),
    );
  if (amended !== undefined && !isJsonObject(amended))
    faults.push(
      fault('data.data', amended, 'is not a JSON object', 'Send the event’s data as they should have been.'),
    );
  if (faults.length === before && (data['reverse'] === undefined) === (amended === undefined))
    faults.push(fault('data', data, 'neither reverses nor amends, or both', ONE_OF_BOTH));
  return { ...corrected, change: isJsonObject(amended) ? { kind: 'amendment', data: amended } : REVERSAL };
}

const ONE_OF_BOTH = 'Send reverse: true, or data as they should have been.';
const REVERSAL = { kind: 'reversal' } as const;

function nameIn(field: string, value: unknown, faults: Fault[]): string {
  const wrong = textFault(field, value);
  if (wrong === null) return value as string;
  faults.push(wrong);
  return '';
}
