import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { encodeHeaders, encodeRecordBatch } from './record-batch';
import type { Text } from './record-batch';

export interface WriterTarget {
  /** `host:port` of the one broker, which leads every partition. */
  readonly broker: string;
  readonly topic: string;
  readonly partitions: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Sent {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const PRODUCE = 0;
/** The first that takes record batches of version 2, and the oldest that brokers of version 4 know. */
const PRODUCE_VERSION = 3;
const CLIENT = 'tallygate-bench';
const ALL_REPLICAS = -1;
const BROKER_TIMEOUT_MS = 30_000;

/**
 * Writes text into a topic for a quarter of what kafkajs takes for it: a generator that shares the processors with what is
 * measured must not need a third of one. Only what a load needs: one broker, no compression, no retry; a refusal or a
 * lost connection fails what waits.
 */
export class KafkaWriter {
  private readonly waiting: Sent[] = [];
  private received: Buffer = Buffer.alloc(0);
  private failure: Error | null = null;
  private next = 0;

  private constructor(
    private readonly socket: Socket,
    private readonly target: WriterTarget,
    private readonly headers: Buffer,
  ) {
    socket.on('data', (bytes) => this.receive(bytes));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error(`${target.broker} closed the connection`)));
  }

  static async connect(target: WriterTarget): Promise<KafkaWriter> {
    const [host, port] = target.broker.split(':');
    const socket = connect({ host, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new KafkaWriter(socket, target, encodeHeaders(target.headers));
  }

  /** Spread over the partitions in turn. Resolves when the broker acknowledged all of them. */
  send(messages: readonly Text[]): Promise<void> {
    const { partitions } = this.target;
    const shares = Array.from({ length: partitions }, (): Text[] => []);
    for (const message of messages) {
      shares[this.next]?.push(message);
      this.next = (this.next + 1) % partitions;
    }
    return new Promise((resolve, reject) => {
      if (this.failure !== null) return reject(this.failure);
      this.waiting.push({ resolve, reject });
      this.socket.write(this.request(shares));
    });
  }

  async close(): Promise<void> {
    if (this.socket.closed) return;
    this.socket.end();
    await once(this.socket, 'close');
  }

  private request(shares: readonly (readonly Text[])[]): Buffer {
    const now = Date.now();
    const filled = [...shares.entries()].filter(([, messages]) => messages.length > 0);
    const body = Buffer.concat([
      int16(PRODUCE),
      int16(PRODUCE_VERSION),
      int32(0),
      string(CLIENT),
      NO_TRANSACTION,
      int16(ALL_REPLICAS),
      int32(BROKER_TIMEOUT_MS),
      int32(1),
      string(this.target.topic),
      int32(filled.length),
      ...filled.flatMap(([partition, messages]) => {
        const batch = encodeRecordBatch(messages, this.headers, now);
        return [int32(partition), int32(batch.length), batch];
      }),
    ]);
    return Buffer.concat([int32(body.length), body]);
  }

  /** Answers come in the order of the requests. */
  private receive(bytes: Buffer): void {
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    while (this.received.length >= 4 && this.received.length >= 4 + this.received.readInt32BE(0)) {
      const end = 4 + this.received.readInt32BE(0);
      const error = errorIn(this.received.subarray(4, end));
      this.received = this.received.subarray(end);
      const sent = this.waiting.shift();
      if (error === null) sent?.resolve();
      else sent?.reject(new Error(`the broker refused usage of partition ${error.partition}: ${error.code}`));
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.failure);
  }
}

/** The first error code of a produce answer of one topic; codes are those of Kafka's protocol. */
function errorIn(answer: Buffer): { readonly partition: number; readonly code: number } | null {
  const CORRELATION_AND_TOPICS = 8;
  let at = CORRELATION_AND_TOPICS + 2 + answer.readInt16BE(CORRELATION_AND_TOPICS);
  const partitions = answer.readInt32BE(at);
  at += 4;
  for (let count = 0; count < partitions; count += 1) {
    const partition = answer.readInt32BE(at);
    const code = answer.readInt16BE(at + 4);
    if (code !== 0) return { partition, code };
    at += 4 + 2 + 8 + 8;
  }
  return null;
}

const NO_TRANSACTION = int16(-1);

function int16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(value: string): Buffer {
  const text = Buffer.from(value);
  return Buffer.concat([int16(text.length), text]);
}
