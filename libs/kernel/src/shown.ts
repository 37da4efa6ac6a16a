const LONGEST_SHOWN = 64;

/** A refused value as a fault may repeat it: short, and safe for any input. */
export function shown(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > LONGEST_SHOWN ? `${value.slice(0, LONGEST_SHOWN)}…` : value;
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const plain = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return plain ? shown(String(value)) : typeof value;
}
