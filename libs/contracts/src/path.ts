import { err, ok } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';

/** A step into JSON: a name into an object, an index into an array. */
export type PathStep = string | number;

export interface PathFault {
  readonly code: 'not_a_path';
  readonly value: string;
  readonly fix: string;
}

const STEP = /\.([^.[\]\s'"*]+)|\[(\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]/y;
const LONGEST = 512;

/**
 * Reads where a meter, filter or group looks in an event's data: `$`, then `.name`, `['any name']` or `[index]` steps,
 * such as `$.usage.tokens` or `$.calls[0].model`. One place, never several: no wildcards, ranges or expressions.
 */
export function parsePath(text: unknown): Result<readonly PathStep[], PathFault> {
  if (typeof text !== 'string' || text.length > LONGEST || !text.startsWith('$')) return refuse(text);
  const steps: PathStep[] = [];
  for (let at = 1; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const found = STEP.exec(text);
    if (found === null) return refuse(text);
    const [, name, index, single, double] = found;
    steps.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index));
  }
  return ok(steps);
}

function refuse(value: unknown): Result<never, PathFault> {
  const shown = typeof value === 'string' ? value.slice(0, 64) : typeof value;
  return err({
    code: 'not_a_path',
    value: shown,
    fix: 'Send a path such as "$.tokens" or "$.calls[0].model".',
  });
}
