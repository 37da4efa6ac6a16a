import { CORRECTION_TYPE } from '@tallygate/contracts';
import { addMicros, formatInstant, MICROS, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { fault, shown } from './fault';
import type { Fault } from './fault';
import { isJsonObject } from './json';
import type { JsonObject } from './json';
import { textFault } from './text';

/** A usage event as its sender meant it. */
export interface UsageEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** Whom it is about: a subject of a customer, or a customer's key. */
  readonly subject: string;
  /** Null when the sender gave none: it counts as received. */
  readonly time: Instant | null;
  readonly data: JsonObject;
}

/** Which times are taken, both ends included. */
export interface TimeBounds {
  readonly oldest: Instant;
  readonly latest: Instant;
  /** Set where a backfill names its period instead of the dedup window: then an event must have a time of its own. */
  readonly period?: string;
}

const AHEAD = 5 * MICROS.minute;

/** @param windowMicros how far back: the tenant's dedup window, as long as identities are remembered for sure */
export function timeBounds(now: Instant, windowMicros: number): TimeBounds {
  return { oldest: addMicros(now, -windowMicros), latest: addMicros(now, AHEAD) };
}

/**
 * Reads a CloudEvent 1.0 in JSON form. Extension attributes are allowed and ignored; `data` is an object, or absent.
 * Adds every fault found; what is returned then holds only the parts that were right, for whoever looks for more faults.
 * @param bounds null for an event that was let in before, whose time is not judged again
 */
export function readUsageEvent(json: JsonObject, bounds: TimeBounds | null, faults: Fault[]): UsageEvent {
  if (json['specversion'] !== '1.0') {
    faults.push(
      fault('specversion', json['specversion'], 'is not "1.0"', 'Send specversion "1.0" (CloudEvents 1.0).'),
    );
  }
  const id = nameOf('id', json['id'], faults);
  const source = nameOf('source', json['source'], faults);
  const type = nameOf('type', json['type'], faults);
  const subject = isNobodys(json) ? '' : nameOf('subject', json['subject'], faults);
  const time = timeOf(json['time'], bounds, faults);
  return { id, source, type, subject, time, data: dataOf(json, faults) };
}

/** A correction needs no subject: it is about whom its event is about. */
function isNobodys(json: JsonObject): boolean {
  return json['type'] === CORRECTION_TYPE && json['subject'] === undefined;
}

/** Plain ASCII of a fitting length is the rule: told by one pattern, without the ladder of `textFault`. */
const FITTING = /^[ -~]{1,255}$/;

function nameOf(field: string, value: unknown, faults: Fault[]): string {
  if (typeof value === 'string' && FITTING.test(value)) return value;
  const wrong = textFault(field, value);
  if (wrong === null) return value as string;
  faults.push(wrong);
  return '';
}

function timeOf(value: unknown, bounds: TimeBounds | null, faults: Fault[]): Instant | null {
  if (value === undefined || value === null) {
    if (bounds?.period !== undefined)
      faults.push(fault('time', value, 'is needed in a backfill', 'Send the time at which it was used.'));
    return null;
  }
  const parsed = parseInstant(value);
  if (!parsed.ok) {
    faults.push(fault('time', value, TIME_PROBLEMS[parsed.error.code], parsed.error.fix));
    return null;
  }
  if (bounds !== null) checkBounds(parsed.value, bounds, faults);
  return parsed.value;
}

const TIME_PROBLEMS = {
  not_an_instant: 'is not an RFC 3339 time',
  no_offset: 'has no offset from UTC',
  no_such_time: 'names a date or time that does not exist',
  leap_second: 'names a leap second',
  too_precise: 'is finer than a microsecond',
  out_of_range: 'is out of range',
} as const;

function checkBounds(time: Instant, { oldest, latest, period }: TimeBounds, faults: Fault[]): void {
  if (period !== undefined) {
    if (time < oldest || time > latest)
      faults.push(
        fault('time', formatInstant(time), 'lies outside the backfill', `Send usage of ${period}.`),
      );
  } else if (time < oldest) {
    const fix = `Send usage no older than ${formatInstant(oldest)}; what is older needs a backfill by the provider.`;
    faults.push(fault('time', formatInstant(time), 'is older than the dedup window', fix));
  } else if (time > latest) {
    const fix = `Set the sender's clock: the latest time taken now is ${formatInstant(latest)}.`;
    faults.push(fault('time', formatInstant(time), 'is more than 5 minutes ahead', fix));
  }
}

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;.*)?$/i;
const NO_DATA: JsonObject = {};

function dataOf(json: JsonObject, faults: Fault[]): JsonObject {
  const { data, datacontenttype } = json;
  if (json['data_base64'] !== undefined) {
    faults.push({
      field: 'data_base64',
      value: shown(json['data_base64']),
      problem: 'cannot be metered',
      fix: 'Send data as a JSON object instead.',
    });
  }
  if (datacontenttype !== undefined && datacontenttype !== null && !isJsonType(datacontenttype)) {
    faults.push(
      fault('datacontenttype', datacontenttype, 'is not JSON', 'Send application/json, or leave it out.'),
    );
  }
  if (data === undefined || data === null) return NO_DATA;
  if (isJsonObject(data)) return data;
  faults.push(
    fault('data', data, 'is not a JSON object', 'Send data as an object, such as {"tokens": "12"}.'),
  );
  return NO_DATA;
}

export function isJsonType(value: unknown): boolean {
  return typeof value === 'string' && JSON_TYPE.test(value);
}
