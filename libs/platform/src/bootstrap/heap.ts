import { setFlagsFromString } from 'node:v8';

/**
 * V8 puts what a place in the code makes straight among the old once most of what it made before outlived a collection of
 * the young, and comes back to that only when nearly all of the old turns out to be garbage.
 */
export const NO_PRETENURING = '--no-allocation-site-pretenuring';

/** The old generation is collected when it is twice what was alive the last time. V8's own measure is up to four times. */
export const DOUBLE_AT_MOST = '--heap-growing-percent=100';

/**
 * For a process through which events stream. A backlog would teach V8 to make the events of all later slices among the
 * old, where they die at once and until the next full collection keep alive, and have copied, all that they refer to; and
 * what outlives its slice would be kept until it is three times what the process needs. See ADR 0042.
 */
export function tuneHeap(): void {
  setFlagsFromString(NO_PRETENURING);
  setFlagsFromString(DOUBLE_AT_MOST);
}
