import type { Fault } from './problem';

/** Far beyond any request of ours, and far below what recursion bears. */
const DEEPEST = 64;

/** PostgreSQL keeps neither U+0000 nor halves of surrogate pairs, in texts or in jsonb. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

interface Place {
  readonly value: unknown;
  readonly field: string;
  readonly depth: number;
}

/** The first thing in a request that no database could keep and no code should walk; null for none. */
export function unstorable(input: unknown): Fault | null {
  const open: Place[] = [{ value: input, field: '', depth: 0 }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value, field, depth } = place;
    if (typeof value === 'string' && UNSTORABLE.test(value)) return unstorableText(field);
    if (typeof value !== 'object' || value === null) continue;
    if (depth === DEEPEST) return tooDeep(field);
    for (const [key, inner] of Object.entries(value)) {
      if (UNSTORABLE.test(key)) return unstorableText(field);
      open.push({ value: inner, field: field === '' ? key : `${field}.${key}`, depth: depth + 1 });
    }
  }
  return null;
}

const unstorableText = (field: string): Fault => ({
  field: field || 'body',
  value: null,
  problem: 'holds U+0000 or half of a surrogate pair',
  fix: 'send text without such characters',
});

const tooDeep = (field: string): Fault => ({
  field: `${field.slice(0, 64)}…`,
  value: null,
  problem: 'is nested too deeply',
  fix: `nest at most ${DEEPEST} levels`,
});
