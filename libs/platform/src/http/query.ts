import { z } from 'zod';

/** A whole number in a query: digits and nothing else, which `z.coerce` would not insist on. */
export function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^[0-9]{1,9}$/, `is not a whole number from ${least} to ${most}`)
    .meta({ type: 'integer', pattern: undefined, minimum: least, maximum: most })
    .transform(Number)
    .pipe(z.int().min(least).max(most));
}
