import { type Instant, parseAmount, parseInstant } from '@tallygate/kernel';

/** Where an expectation and what was found part. `path` is dotted from the expectation's root. */
export interface Mismatch {
  readonly path: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** Reads the texts of a scenario in its tenant's terms: a bare date is midnight in the tenant's zone. */
export interface MatchContext {
  readonly dateAsInstant: (text: string) => Instant | null;
}

type Json = Record<string, unknown>;

const OPERATORS = ['gte', 'lte', 'in', 'matches', 'contains', 'count'] as const;

/** Compares what a scenario expects with what was found; the first difference, or null when all holds. */
export function match(expected: unknown, found: unknown, context: MatchContext, path = ''): Mismatch | null {
  const differs = { path, expected, found };
  if (expected === null) return found === null || found === undefined ? null : differs;
  if (Array.isArray(expected)) return matchList(expected, found, context, path);
  if (typeof expected !== 'object') return sameScalar(expected, found, context) ? null : differs;
  if (isOperator(expected)) return holds(expected as Json, found, context) ? null : differs;
  return matchObject(expected as Json, found, context, path);
}

function matchList(
  expected: readonly unknown[],
  found: unknown,
  context: MatchContext,
  path: string,
): Mismatch | null {
  if (!Array.isArray(found) || found.length !== expected.length) return { path, expected, found };
  return first(expected, (item, index) => match(item, found[index], context, `${path}[${index}]`));
}

function matchObject(expected: Json, found: unknown, context: MatchContext, path: string): Mismatch | null {
  if (found === null || typeof found !== 'object' || Array.isArray(found)) return { path, expected, found };
  const dotted = (key: string) => (path === '' ? key : `${path}.${key}`);
  return first(Object.entries(expected), ([key, value]) =>
    match(value, (found as Json)[key], context, dotted(key)),
  );
}

function first<T>(items: readonly T[], check: (item: T, index: number) => Mismatch | null): Mismatch | null {
  for (const [index, item] of items.entries()) {
    const mismatch = check(item, index);
    if (mismatch) return mismatch;
  }
  return null;
}

/** `{gte, lte}` and the like; an object of data never consists of these names alone. */
export function isOperator(value: object): boolean {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => (OPERATORS as readonly string[]).includes(key));
}

function holds(operator: Json, found: unknown, context: MatchContext): boolean {
  return Object.entries(operator).every(([name, operand]) => holdsOne(name, operand, found, context));
}

function holdsOne(name: string, operand: unknown, found: unknown, context: MatchContext): boolean {
  switch (name) {
    case 'gte':
    case 'lte': {
      const order = compareScalars(found, operand, context);
      return order !== null && (name === 'gte' ? order >= 0 : order <= 0);
    }
    case 'in':
      return Array.isArray(operand) && operand.some((item) => match(item, found, context) === null);
    case 'matches':
      return typeof found === 'string' && new RegExp(String(operand)).test(found);
    case 'contains':
      return Array.isArray(operand) && Array.isArray(found) && containsInOrder(operand, found, context);
    default:
      return Array.isArray(found) && match(operand, found.length, context) === null;
  }
}

function containsInOrder(
  expected: readonly unknown[],
  found: readonly unknown[],
  context: MatchContext,
): boolean {
  let next = 0;
  for (const item of found) {
    if (next < expected.length && match(expected[next], item, context) === null) next += 1;
  }
  return next === expected.length;
}

function sameScalar(expected: unknown, found: unknown, context: MatchContext): boolean {
  if (expected === found) return true;
  if (found === null || found === undefined || typeof found === 'object') return false;
  if (typeof expected === 'boolean' || typeof found === 'boolean') return false;
  return compareScalars(found, expected, context) === 0;
}

/** Decimals compare as decimals, instants as instants; null when the two are neither. */
function compareScalars(left: unknown, right: unknown, context: MatchContext): number | null {
  const decimals = [decimal(left), decimal(right)];
  if (decimals[0] !== null && decimals[1] !== null) return order(decimals[0]!, decimals[1]!);
  const instants = [instantOf(left, context), instantOf(right, context)];
  if (instants[0] !== null && instants[1] !== null) return order(instants[0]!, instants[1]!);
  return null;
}

const order = <T extends bigint | number>(left: T, right: T): number =>
  left < right ? -1 : left > right ? 1 : 0;

function decimal(value: unknown): bigint | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const parsed = parseAmount(String(value));
  return parsed.ok ? parsed.value : null;
}

function instantOf(value: unknown, context: MatchContext): Instant | null {
  if (typeof value !== 'string') return null;
  const parsed = parseInstant(value);
  return parsed.ok ? parsed.value : context.dateAsInstant(value);
}
