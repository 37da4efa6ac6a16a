import { formatAmount, parseQuantity } from '@tallygate/kernel';
import type { Catalog, Feature, Meter, MeterReading } from '@tallygate/contracts';
import { fault } from './fault';
import type { Fault } from './fault';
import { compileFilters, isChargeable } from './filter';
import type { Matches } from './filter';
import { textFault } from './text';
import type { Json, JsonObject } from './json';
import { compilePath } from './place';
import type { Place } from './place';

/** A meter of the catalog, ready to read events of its type. */
export interface CompiledMeter {
  readonly key: string;
  /**
   * What the meter reads from an event's data; null when the event is none of its business, or when a fault was added.
   * Faults name the place in the data, so that a sender can mend it without knowing the catalog.
   */
  readonly read: (data: JsonObject, faults: Fault[]) => MeterReading | null;
}

/** The meters of each event type. A type without meters is unknown here. */
export type CompiledCatalog = ReadonlyMap<string, readonly CompiledMeter[]>;

type Value = Pick<MeterReading, 'quantity' | 'value'>;
type ReadValue = (data: JsonObject, faults: Fault[]) => Value | null;
type ReadGroup = (data: JsonObject, faults: Fault[]) => Readonly<Record<string, string>> | null;
type ReadFeatures = (data: JsonObject) => readonly string[];

/** Compiled once per revision: paths become look-ups, filters closures, features lists by meter. */
export function compileCatalog({ meters, features }: Pick<Catalog, 'meters' | 'features'>): CompiledCatalog {
  const byType = new Map<string, CompiledMeter[]>();
  for (const meter of meters) {
    const compiled = compileMeter(
      meter,
      features.filter((feature) => feature.meter === meter.key),
    );
    const sameType = byType.get(meter.event_type);
    if (sameType === undefined) byType.set(meter.event_type, [compiled]);
    else sameType.push(compiled);
  }
  return byType;
}

function compileMeter(meter: Meter, features: readonly Feature[]): CompiledMeter {
  const matches = compileFilters(meter.filter);
  const readValue = compileValue(meter);
  const readGroup = compileGroup(meter.group_by);
  const featuresOf = compileFeatures(features);
  const read: CompiledMeter['read'] = (data, faults) => {
    if (matches !== undefined && !matches(data)) return null;
    if (meter.chargeable_only && !isChargeable(data)) return null;
    const value = readValue(data, faults);
    const group = readGroup(data, faults);
    if (value === null || group === null) return null;
    return { meter: meter.key, ...value, group, features: featuresOf(data) };
  };
  return { key: meter.key, read };
}

const ONE: Value = { quantity: '1' };

function compileValue({ key, aggregation, value }: Meter): ReadValue {
  if (aggregation === 'count') return () => ONE;
  const place = compilePath(value ?? '$');
  return aggregation === 'unique_count' ? uniqueAt(place, key) : quantityAt(place, key);
}

function quantityAt({ look, field }: Place, meter: string): ReadValue {
  return (data, faults) => {
    const found = look(data);
    if (found === undefined || found === null) {
      faults.push(fault(field, found, `meter ${meter} reads its quantity here`, NEEDS_QUANTITY));
      return null;
    }
    // A small whole number is its own shortest decimal.
    if (typeof found === 'number' && Number.isSafeInteger(found) && found >= 0)
      return { quantity: String(found) };
    return exactQuantity(found, field, faults);
  };
}

const NEEDS_QUANTITY = 'Send a decimal string such as "12.5", or a number.';

function exactQuantity(found: Json, field: string, faults: Fault[]): Value | null {
  const parsed = parseQuantity(found);
  if (parsed.ok) return { quantity: formatAmount(parsed.value) };
  faults.push(fault(field, found, PROBLEMS[parsed.error.code], parsed.error.fix));
  return null;
}

const PROBLEMS = {
  not_a_decimal: 'is not a quantity',
  too_many_decimals: 'has more than 9 decimals',
  out_of_range: 'is out of range',
  negative: 'is negative',
  inexact_number: 'is a number that may have lost digits on its way',
  exponent_not_allowed: 'is written with an exponent',
} as const;

function uniqueAt({ look, field }: Place, meter: string): ReadValue {
  return (data, faults) => {
    const found = look(data);
    const value = textAt(found, field, faults);
    if (value !== undefined) return value === null ? null : { value };
    faults.push(
      fault(field, found, `meter ${meter} counts the values found here`, 'Send a text or a number.'),
    );
    return null;
  };
}

function compileGroup(groupBy: Meter['group_by']): ReadGroup {
  const places = Object.entries(groupBy).map(([name, path]) => ({ name, ...compilePath(path) }));
  if (places.length === 0) return () => NO_GROUP;
  return (data, faults) => {
    const group: Record<string, string> = {};
    const before = faults.length;
    for (const { name, look, field } of places) {
      const text = textAt(look(data), field, faults);
      if (text !== undefined && text !== null) group[name] = text;
    }
    return faults.length === before ? group : null;
  };
}

const NO_GROUP: Readonly<Record<string, string>> = {};

/** A value as text. Undefined: nothing there, or an empty text. Null: a fault was added. */
function textAt(found: Json | undefined, field: string, faults: Fault[]): string | null | undefined {
  if (found === undefined || found === null || found === '') return undefined;
  const wrong = textFault(field, typeof found === 'boolean' ? String(found) : numberText(found));
  if (wrong === null) return String(found);
  faults.push(wrong);
  return null;
}

/** A number beyond 2⁵³ may stand for several texts; it is handed on as it is, to be refused. */
function numberText(found: Json): unknown {
  return typeof found === 'number' && Math.abs(found) <= Number.MAX_SAFE_INTEGER ? String(found) : found;
}

/** The usual feature has no filter of its own: then every event shares one list. */
function compileFeatures(features: readonly Feature[]): ReadFeatures {
  const tests = features.map(({ key, filter }) => ({ key, matches: compileFilters(filter) }));
  const all = tests.map(({ key }) => key);
  if (tests.every(({ matches }) => matches === undefined)) return () => all;
  return (data) =>
    tests
      .filter(({ matches }: { matches: Matches | undefined }) => matches?.(data) ?? true)
      .map(({ key }) => key);
}
