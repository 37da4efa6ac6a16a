import type { HelloMessage, SubscribeRequest, SubscribeResponse } from '@tallygate/contracts';

export type FeedReply = Extract<SubscribeRequest, { message: 'ack' | 'nack' }>;

/** Takes what the feed sends, in order, and says what to answer; null for nothing. */
export type FeedReceiver = (message: SubscribeResponse) => FeedReply | null;

/** One way to follow the feed. */
export abstract class FeedTransport {
  abstract readonly name: string;
  /** Follows until the feed ends (resolves), breaks (rejects), or the signal says to stop. */
  abstract follow(hello: HelloMessage, receive: FeedReceiver, stop: AbortSignal): Promise<void>;
  abstract close(): void;
}
