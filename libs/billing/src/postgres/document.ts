/**
 * Aggregates as JSON documents. Amounts are bigint inside and JSON has none, so they are written as {"nano": "…"};
 * instants are safe integers and pass as numbers, exactly.
 */
export function toDocument(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'bigint' ? { nano: part.toString() } : part,
  );
}

/** @param body as read from a jsonb column, parsed already */
export function fromDocument<T>(body: unknown): T {
  return revive(body) as T;
}

function revive(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(revive);
  if (part === null || typeof part !== 'object') return part;
  const entries = Object.entries(part);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'nano' && typeof only[1] === 'string') return BigInt(only[1]);
  return Object.fromEntries(entries.map(([key, inner]) => [key, revive(inner)]));
}
