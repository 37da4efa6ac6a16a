import { setFlagsFromString } from 'node:v8';

/**
 * V8 puts what a place in the code makes straight among the old once most of what it made before outlived a collection of
 * the young, and comes back to that only when nearly all of the old turns out to be garbage.
 */
export const NO_PRETENURING = '--no-allocation-site-pretenuring';

/**
 * Everything is born in the young generation from here on. A backlog teaches V8 the opposite: its slices outlive
 * collections, so that the events of all later slices are born old, die there at once and until the next full collection
 * keep alive, and have copied, all that they refer to. See ADR 0042.
 */
export function allocateYoung(): void {
  setFlagsFromString(NO_PRETENURING);
}
