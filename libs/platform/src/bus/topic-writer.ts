import type { Producer } from 'kafkajs';
import type { OutgoingMessage } from './event-bus';
import { PublishError } from './publish-error';

/** Below the broker's default limit of one record batch (1 MiB), since all may go to one partition. */
const MOST_BYTES = 900_000;
const MOST_MESSAGES = 10_000;
const OVERHEAD = 64;

interface Waiting {
  readonly messages: readonly OutgoingMessage[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Writes to one topic with one request in flight. What arrives meanwhile leaves together with the next request, so the
 * busier the topic the larger the batches; and a retried request can never overtake or be overtaken.
 */
export class TopicWriter {
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;

  constructor(
    private readonly topic: string,
    private readonly producer: Producer,
  ) {}

  write(messages: readonly OutgoingMessage[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ messages, resolve, reject });
      this.running ??= this.run();
    });
  }

  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) await this.flush(this.take());
    this.running = undefined;
  }

  /** As many whole publishes as fit one request; a single larger one is split by `flush`. */
  private take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    const taken: Waiting[] = [];
    for (const next of this.waiting) {
      bytes += sizeOf(next.messages);
      count += next.messages.length;
      if (taken.length > 0 && (bytes > MOST_BYTES || count > MOST_MESSAGES)) break;
      taken.push(next);
    }
    this.waiting = this.waiting.slice(taken.length);
    return taken;
  }

  private async flush(taken: readonly Waiting[]): Promise<void> {
    const chunks = chunksOf(taken.flatMap(({ messages }) => messages));
    for (const [index, chunk] of chunks.entries()) {
      try {
        await this.send(chunk);
      } catch (error) {
        this.fail(taken, new Set(chunks.slice(index).flat()), error);
        return;
      }
    }
    for (const { resolve } of taken) resolve();
  }

  private fail(taken: readonly Waiting[], unsent: ReadonlySet<OutgoingMessage>, cause: unknown): void {
    for (const { messages, resolve, reject } of taken) {
      const failed = messages.filter((message) => unsent.has(message));
      if (failed.length === 0) resolve();
      else reject(new PublishError(this.topic, failed, cause));
    }
  }

  private async send(messages: readonly OutgoingMessage[]): Promise<void> {
    await this.producer.send({
      topic: this.topic,
      acks: -1,
      messages: messages.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
    });
  }
}

function sizeOf(messages: readonly OutgoingMessage[]): number {
  return messages.reduce((sum, message) => sum + messageSize(message), 0);
}

function messageSize({ key, value, headers }: OutgoingMessage): number {
  const headerBytes = Object.entries(headers ?? {}).reduce(
    (sum, [name, text]) => sum + name.length + text.length + 4,
    0,
  );
  return value.length + key.length + headerBytes + OVERHEAD;
}

function chunksOf(messages: readonly OutgoingMessage[]): OutgoingMessage[][] {
  const chunks: OutgoingMessage[][] = [];
  let chunk: OutgoingMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = messageSize(message);
    if (chunk.length > 0 && bytes + size > MOST_BYTES) {
      chunks.push(chunk);
      chunk = [];
      bytes = 0;
    }
    chunk.push(message);
    bytes += size;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}
