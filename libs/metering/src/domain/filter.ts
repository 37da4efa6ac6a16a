import type { Filter } from '@tallygate/contracts';
import { canonicalJson } from './json';
import type { Json, JsonObject } from './json';
import { compareDecimals, decimalOf } from './decimal';
import type { Decimal } from './decimal';
import { compilePath } from './place';

export type Matches = (data: JsonObject) => boolean;
type Test = (found: Json | undefined) => boolean;

const FIRST_STATUS_NOT_CHARGED = decimalOf(400) as Decimal;

/** True when every filter matches; undefined for none, so that callers can skip the call. */
export function compileFilters(filters: readonly Filter[]): Matches | undefined {
  const tests = filters.map(compileFilter);
  if (tests.length === 0) return undefined;
  return tests.length === 1 ? tests[0] : (data) => tests.every((matches) => matches(data));
}

/**
 * Absent and null are the same: nothing there. Nothing is unequal to every value, so `ne` matches it; no other
 * operator but `exists: false` does.
 */
function compileFilter({ path, op, value }: Filter): Matches {
  const { look } = compilePath(path);
  const test = testOf(op, value);
  return (data) => test(look(data));
}

/** Leaves out what `chargeable_only` does: a status of 400 or more. Without a status the event counts. */
export function isChargeable(data: JsonObject): boolean {
  const status = data['status'];
  if (typeof status === 'number') return status < 400;
  const read = decimalOf(status);
  return read === null || compareDecimals(read, FIRST_STATUS_NOT_CHARGED) < 0;
}

function testOf(op: Filter['op'], value: unknown): Test {
  switch (op) {
    case 'eq':
      return equals(value);
    case 'ne': {
      const equal = equals(value);
      return (found) => !equal(found);
    }
    case 'in': {
      const tests = (Array.isArray(value) ? value : [value]).map(equals);
      return (found) => tests.some((equal) => equal(found));
    }
    case 'exists':
      return value === false ? isNothing : (found) => !isNothing(found);
    default:
      return compares(op, value);
  }
}

function isNothing(found: Json | undefined): boolean {
  return found === undefined || found === null;
}

/** Text equals text by its characters; a number equals a number, or a text of digits, by its value. */
function equals(value: unknown): Test {
  if (isNothing(value as Json)) return isNothing;
  const wanted = decimalOf(value);
  if (typeof value === 'object')
    return (found) => !isNothing(found) && canonicalJson(found) === canonicalJson(value);
  if (wanted === null) return (found) => found === value;
  return (found) => {
    if (typeof found === typeof value) return found === value;
    const read = decimalOf(found);
    return read !== null && compareDecimals(read, wanted) === 0;
  };
}

/** Numbers and texts of digits, by value and exactly; what is no number matches no comparison. */
function compares(op: 'gt' | 'gte' | 'lt' | 'lte', value: unknown): Test {
  const bound = decimalOf(value);
  if (bound === null) return () => false;
  const holds = ORDERS[op];
  return (found) => {
    const read = decimalOf(found);
    return read !== null && holds(compareDecimals(read, bound));
  };
}

const ORDERS: Readonly<Record<'gt' | 'gte' | 'lt' | 'lte', (order: number) => boolean>> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};
