import { createRequire } from 'node:module';

/** What is known here of the queue that kafkajs keeps for each connection. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const { prototype } = createRequire(__filename)('kafkajs/src/network/requestQueue') as {
  readonly prototype: RequestQueue;
};
const { scheduleCheckPendingRequests } = prototype;

/**
 * kafkajs 2.2.4 looks for waiting requests every millisecond on every connection, for ever, also when none waits
 * (https://github.com/tulios/kafkajs/issues/1704). A request that has to wait asks for the look itself, so that without
 * one there is nothing to look for.
 */
export function calmRequestQueues(): void {
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
  };
}
