import { createRequire } from 'node:module';
import { readRecords } from './fetched-record';
import type { FetchedRecord } from './fetched-record';

/** An answer to a fetch, by the names of kafkajs. */
interface FetchAnswer {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly Fetched[] }[];
}

interface Fetched {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly preferredReadReplica: number;
  readonly messages: readonly FetchedRecord[];
}

interface Protocol {
  readonly request: { readonly apiName: string; readonly apiVersion: number };
  readonly response: { readonly decode: (payload: Buffer) => Promise<unknown> };
}

interface Connection {
  send(protocol: Protocol): Promise<unknown>;
}

interface Codec {
  decompress(bytes: Buffer): Promise<Buffer>;
}

const kafkajs = createRequire(__filename);
const { prototype } = kafkajs('kafkajs/src/network/connection') as { readonly prototype: Connection };
const { lookupCodecByAttributes } = kafkajs('kafkajs/src/protocol/message/compression') as {
  readonly lookupCodecByAttributes: (attributes: number) => Codec | null;
};
const { send } = prototype;

/**
 * kafkajs 2.2.4 makes some twenty objects of each record of an answer and keeps half of them until the answer's last
 * message was handled, which made its garbage collector the dearest part of ingestion (ADR 0038). From here on answers
 * hold `FetchedRecord`s instead.
 */
export function leanFetchAnswers(): void {
  prototype.send = function (protocol) {
    const { request, response } = protocol;
    if (request.apiName !== 'Fetch') return send.call(this, protocol);
    const decode = (payload: Buffer) => decodeFetchAnswer(payload, request.apiVersion);
    return send.call(this, { ...protocol, response: { ...response, decode } });
  };
}

const OLDEST = 4;

/**
 * @param version of the fetch protocol, see https://kafka.apache.org/protocol#The_Messages_Fetch; 4 came with Kafka 0.11
 * @throws Error for older versions and message formats, which know no headers
 */
export async function decodeFetchAnswer(payload: Buffer, version: number): Promise<FetchAnswer> {
  if (version < OLDEST)
    throw new Error('The Kafka broker is older than 0.11, whose messages have no headers');
  const read = new Integers(payload);
  const throttleMs = read.int32();
  const errorCode = version >= 7 ? read.int16() : 0;
  if (version >= 7) read.int32(); // the session, which kafkajs does not use
  const responses: { topicName: string; partitions: Fetched[] }[] = [];
  for (let topics = read.int32(); topics > 0; topics -= 1) {
    const topicName = read.text();
    const partitions: Fetched[] = [];
    for (let left = read.int32(); left > 0; left -= 1)
      partitions.push(await fetchedOf(topicName, read, version));
    responses.push({ topicName, partitions });
  }
  // Since version 8 the client is the one that holds back.
  const clientSideThrottleTime = version >= 8 ? throttleMs : 0;
  return { throttleTime: throttleMs - clientSideThrottleTime, clientSideThrottleTime, errorCode, responses };
}

async function fetchedOf(topic: string, read: Integers, version: number): Promise<Fetched> {
  const partition = read.int32();
  const errorCode = read.int16();
  const highWatermark = read.int64().toString();
  read.int64(); // the last stable offset
  if (version >= 5) read.int64(); // where the log starts
  const abortedTransactions: { producerId: string; firstOffset: string }[] = [];
  for (let aborted = read.int32(); aborted > 0; aborted -= 1)
    abortedTransactions.push({ producerId: read.int64().toString(), firstOffset: read.int64().toString() });
  const preferredReadReplica = version >= 11 ? read.int32() : -1;
  const messages = await recordsIn(topic, partition, read.bytes());
  return { partition, errorCode, highWatermark, abortedTransactions, preferredReadReplica, messages };
}

const HEAD_BYTES = 61;
const LENGTH_AT = 8;
/** Behind this place the length counts. */
const LENGTH_FROM = 12;
const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const PRODUCER_AT = 43;
const COUNT_AT = 57;
const COMPRESSED = 0x07;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** The records of all batches, see https://kafka.apache.org/documentation/#recordbatch. */
async function recordsIn(topic: string, partition: number, set: Buffer): Promise<FetchedRecord[]> {
  const records: FetchedRecord[] = [];
  for (let at = 0; at + HEAD_BYTES <= set.length;) {
    const end = at + LENGTH_FROM + set.readInt32BE(at + LENGTH_AT);
    // A broker cuts its answer where it is full, inside a batch.
    if (end > set.length) break;
    if (set.readInt8(at + MAGIC_AT) !== 2)
      throw new Error(`Partition ${partition} of ${topic} holds messages of a format before Kafka 0.11`);
    const attributes = set.readInt16BE(at + ATTRIBUTES_AT);
    const isCompressed = (attributes & COMPRESSED) !== 0;
    const batch = {
      topic,
      partition,
      bytes: isCompressed ? await inflated(attributes, set.subarray(at + HEAD_BYTES, end)) : set,
      baseOffset: set.readBigInt64BE(at),
      isControl: (attributes & CONTROL) !== 0,
      inTransaction: (attributes & TRANSACTIONAL) !== 0,
      producerId: set.readBigInt64BE(at + PRODUCER_AT).toString(),
    };
    const read = readRecords(batch, set.readInt32BE(at + COUNT_AT), isCompressed ? 0 : at + HEAD_BYTES);
    for (const record of read) records.push(record);
    at = end;
  }
  return records;
}

async function inflated(attributes: number, bytes: Buffer): Promise<Buffer> {
  const codec = lookupCodecByAttributes(attributes);
  if (codec === null)
    throw new Error(`Messages are compressed in an unknown way (${attributes & COMPRESSED})`);
  return codec.decompress(bytes);
}

/** What the protocol is made of, one after the other. */
class Integers {
  private at = 0;

  constructor(private readonly from: Buffer) {}

  int16(): number {
    return this.from.readInt16BE((this.at += 2) - 2);
  }

  int32(): number {
    return this.from.readInt32BE((this.at += 4) - 4);
  }

  int64(): bigint {
    return this.from.readBigInt64BE((this.at += 8) - 8);
  }

  text(): string {
    const length = this.int16();
    return this.from.toString('utf8', this.at, (this.at += length));
  }

  /** Fewer than said where the answer ends. */
  bytes(): Buffer {
    const length = Math.max(this.int32(), 0);
    return this.from.subarray(this.at, (this.at += length));
  }
}
