/** A rule of the program itself was broken: a bug, never a caller's mistake. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Throws {@link InvariantViolation} with `message` unless `condition` is truthy. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

/** Closes a switch over a union: compiles only when every case is handled, throws when data lied. */
export function assertNever(x: never): never {
  throw new InvariantViolation(`Unhandled case: ${String(x)}`);
}
