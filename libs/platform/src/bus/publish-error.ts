import type { OutgoingMessage } from './event-bus';

/** Some messages were not taken. Those not in `failed` were: the publisher repeats only `failed`, in the same order. */
export class PublishError extends Error {
  override readonly name = 'PublishError';

  constructor(
    topic: string,
    readonly failed: readonly OutgoingMessage[],
    cause: unknown,
  ) {
    super(
      `${failed.length} message(s) of ${topic} were not taken: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}
