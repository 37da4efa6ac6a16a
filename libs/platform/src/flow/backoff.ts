/** Doubling waits, from `firstMs` up to `mostMs`, for the nth failure in a row (1 is the first). */
export function backoffMs(failures: number, firstMs = 100, mostMs = 5_000): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 20));
}
