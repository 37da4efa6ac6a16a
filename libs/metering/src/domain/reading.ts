import { CORRECTION_TYPE, eventOfLine, isAccessLine } from '@tallygate/contracts';
import type { MeterReading } from '@tallygate/contracts';
import { readCorrection } from './correction';
import type { Correction } from './correction';
import { fault, printable } from './fault';
import type { Fault } from './fault';
import { payloadText } from './identity';
import { DEEPEST, isJsonObject } from './json';
import type { JsonObject } from './json';
import type { CompiledCatalog } from './meter';
import { LONGEST_TEXT } from './text';
import { readUsageEvent } from './usage-event';
import type { TimeBounds, UsageEvent } from './usage-event';

/** What became of an event's text: every fault it has, or the event with what the tenant's meters read from it. */
export type Reading =
  | {
      readonly kind: 'refused';
      readonly id: string | null;
      readonly source: string | null;
      readonly faults: readonly Fault[];
    }
  | {
      readonly kind: 'read';
      readonly event: UsageEvent;
      /** To be hashed: see `payloadText`. */
      readonly payload: string;
      /** Null: no meter of the tenant reads this type. Empty: meters do, but none wants this event. */
      readonly readings: readonly MeterReading[] | null;
      /** Set on a correction, whose readings depend on the event that it corrects. */
      readonly correction: Correction | null;
    };

/** Validates and meters one event; all faults are named in one answer, those of the meters too. */
export function readEvent(sent: unknown, bounds: TimeBounds | null, catalog: CompiledCatalog): Reading {
  if (!isJsonObject(sent))
    return refused({}, [fault('', sent, 'is not an event', 'Send a CloudEvent as a JSON object.')]);
  const json = isAccessLine(sent) ? (eventOfLine(sent) as JsonObject) : sent;
  const faults: Fault[] = [];
  const event = readUsageEvent(json, bounds, faults);
  const correction = event.type === CORRECTION_TYPE ? readCorrection(event, faults) : null;
  const readings = correction === null ? readMeters(event, catalog, faults) : [];
  const payload = payloadText(event);
  if (payload === null)
    faults.push(fault('data', event.data, `nests deeper than ${DEEPEST} levels`, 'Send flatter data.'));
  return faults.length > 0 || payload === null
    ? refused(json, faults)
    : { kind: 'read', event, payload, readings, correction };
}

export function readMeters(
  { type, data }: Pick<UsageEvent, 'type' | 'data'>,
  catalog: CompiledCatalog,
  faults: Fault[],
): MeterReading[] | null {
  const meters = catalog.get(type);
  if (meters === undefined) return null;
  const readings: MeterReading[] = [];
  for (const meter of meters) {
    const reading = meter.read(data, faults);
    if (reading !== null) readings.push(reading);
  }
  return readings;
}

function refused(json: JsonObject, faults: readonly Fault[]): Reading {
  return {
    kind: 'refused',
    id: nameIn(json['id']),
    source: nameIn(json['source']),
    faults: oncePerPlace(faults),
  };
}

/** Two meters of one path find the same fault. */
function oncePerPlace(faults: readonly Fault[]): readonly Fault[] {
  const seen = new Set<string>();
  return faults.filter(({ field, problem, fix }) => {
    const text = JSON.stringify([field, fix, problem]);
    return seen.has(text) ? false : seen.add(text);
  });
}

function nameIn(value: unknown): string | null {
  return typeof value === 'string' ? printable(value, LONGEST_TEXT) : null;
}
