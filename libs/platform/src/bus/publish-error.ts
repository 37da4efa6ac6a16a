import type { OutgoingMessage } from './event-bus';

/** Some messages were not taken. Those not in `failed` were: the publisher repeats only `failed`, in the same order. */
export class PublishError extends Error {
  override readonly name = 'PublishError';

  declare readonly failed: readonly OutgoingMessage[];

  constructor(topic: string, failed: readonly OutgoingMessage[], cause: unknown) {
    super(
      `${failed.length} message(s) of ${topic} were not taken: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
    // Not enumerable: who prints the error would print every message.
    Object.defineProperty(this, 'failed', { value: failed });
  }
}
