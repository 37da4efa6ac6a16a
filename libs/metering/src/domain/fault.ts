/** One thing wrong with an event: where, what was found, why it is refused, and what to send instead. */
export interface Fault {
  /** Attribute or place in the data: `time`, `data.tokens`, `data.calls[0].model`. */
  readonly field: string;
  /** What was found, shortened; `absent` when nothing was. */
  readonly value: string;
  readonly problem: string;
  readonly fix: string;
}

const LONGEST_SHOWN = 64;

/** What no text column, JSON column or terminal should get: control characters and halves of surrogate pairs. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/gu;

/** A sender's text, shortened and made safe to store and print, whatever was sent. */
export function printable(text: string, longest: number): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return short.replace(UNPRINTABLE, '\ufffd');
}

/** A found value as a fault may repeat it. */
export function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'string') return printable(value, LONGEST_SHOWN);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'array' : 'object';
}

export function fault(field: string, value: unknown, problem: string, fix: string): Fault {
  return { field, value: shown(value), problem, fix };
}
