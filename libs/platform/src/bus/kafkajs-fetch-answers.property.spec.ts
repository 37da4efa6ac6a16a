import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { FetchedRecord } from './fetched-record';
import { decodeFetchAnswer } from './kafkajs-fetch-answers';

interface Encoder {
  readonly buffer: Buffer;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: number): Encoder;
  writeString(value: string): Encoder;
  writeBuffer(value: Buffer): Encoder;
}

interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Record<string, Buffer | Buffer[]>;
}

interface Batch {
  readonly firstOffset: number;
  readonly transactional: boolean;
  readonly producerId: number;
  readonly compressed: boolean;
  readonly messages: readonly Message[];
}

interface Answered {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly highWatermark: string;
      readonly abortedTransactions: readonly unknown[];
      readonly preferredReadReplica?: number;
      readonly messages: readonly (Message & {
        readonly offset: string;
        readonly isControlRecord: boolean;
        readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
      })[];
    }[];
  }[];
}

const kafkajs = createRequire(__filename);
const EncoderClass = kafkajs('kafkajs/src/protocol/encoder') as new () => Encoder;
const { RecordBatch } = kafkajs('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(batch: object): Promise<Encoder>;
};
const encodeRecord = kafkajs('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => Encoder;
const theirs = (version: number) =>
  (
    kafkajs(`kafkajs/src/protocol/requests/fetch/v${version}/response`) as {
      decode(payload: Buffer): Promise<Answered>;
    }
  ).decode;

const GZIP = 1;

async function encodeBatch(batch: Batch): Promise<Buffer> {
  const { firstOffset, transactional, producerId, compressed, messages } = batch;
  const records = messages.map((message, offsetDelta) =>
    encodeRecord({ ...message, offsetDelta, timestampDelta: offsetDelta * 70_000 }),
  );
  const compression = compressed ? GZIP : 0;
  return (await RecordBatch({ firstOffset, transactional, producerId, compression, records })).buffer;
}

/** What a broker would answer in a version of the protocol, its last bytes cut off. */
function encodeAnswer(version: number, partitions: readonly Buffer[], cut: number): Buffer {
  const answer = new EncoderClass().writeInt32(0);
  if (version >= 7) answer.writeInt16(0).writeInt32(77);
  answer.writeInt32(1).writeString('usage').writeInt32(partitions.length);
  partitions.forEach((set, partition) => {
    answer.writeInt32(partition).writeInt16(0).writeInt64(4711).writeInt64(4000);
    if (version >= 5) answer.writeInt64(3);
    answer.writeInt32(1).writeInt64(99).writeInt64(17);
    if (version >= 11) answer.writeInt32(-1);
    const kept = partition === partitions.length - 1 ? set.subarray(0, Math.max(0, set.length - cut)) : set;
    answer.writeInt32(kept.length).writeBuffer(kept);
  });
  return answer.buffer;
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => Buffer.from(value));
const message: fc.Arbitrary<Message> = fc.record({
  key: fc.option(text),
  value: fc.option(bytes),
  headers: fc.dictionary(
    fc.constantFrom('tenant', 'traceparent', 'ü'),
    fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 })),
    { noNullPrototype: true },
  ),
});
const batch: fc.Arbitrary<Batch> = fc.record({
  firstOffset: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 100 }),
  transactional: fc.boolean(),
  producerId: fc.integer({ min: -1, max: 1_000_000 }),
  compressed: fc.boolean(),
  messages: fc.array(message, { maxLength: 6 }),
});

function firstTexts(headers: Message['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, String(Array.isArray(value) ? value[0] : value)]),
  );
}

function seen({ topic, partition, offset, key, value, headers, isControlRecord, ...rest }: FetchedRecord) {
  const { producerId, inTransaction } = rest.batchContext;
  return { topic, partition, offset, key, value, headers, isControlRecord, producerId, inTransaction };
}

describe('answers to fetches', () => {
  test.each([4, 5, 6, 7, 8, 9, 10, 11])('hold in version %d what kafkajs reads in them', async (version) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(batch, { maxLength: 3 }), { maxLength: 3 }),
        fc.nat(40),
        check(version),
      ),
    );
  });

  test('of brokers without headers are refused', async () => {
    await expect(decodeFetchAnswer(Buffer.alloc(8), 3)).rejects.toThrow('older than 0.11');
  });

  test('with messages of an older format are refused by partition and topic', async () => {
    const set = await encodeBatch({
      firstOffset: 0,
      transactional: false,
      producerId: -1,
      compressed: false,
      messages: [{ key: null, value: Buffer.from('1'), headers: {} }],
    });
    set.writeInt8(1, 16);
    await expect(decodeFetchAnswer(encodeAnswer(11, [set], 0), 11)).rejects.toThrow(
      'Partition 0 of usage holds messages of a format before Kafka 0.11',
    );
  });

  test('with a record that ends beyond its batch are refused', async () => {
    const records = [encodeRecord({ key: null, value: Buffer.from('long enough'), offsetDelta: 0 })];
    const set = (await RecordBatch({ records })).buffer;
    set.writeInt8(126, 61);
    await expect(decodeFetchAnswer(encodeAnswer(11, [set], 0), 11)).rejects.toThrow('ends beyond its batch');
  });
});

function check(version: number) {
  return async (partitions: readonly (readonly Batch[])[], cut: number): Promise<void> => {
    const sets = await Promise.all(
      partitions.map(async (batches) => Buffer.concat(await Promise.all(batches.map(encodeBatch)))),
    );
    const payload = encodeAnswer(version, sets, cut);
    const [own, other] = await Promise.all([decodeFetchAnswer(payload, version), theirs(version)(payload)]);
    expect(own.responses.map(({ topicName }) => topicName)).toEqual(['usage']);
    expect(own.responses[0]?.partitions).toHaveLength(partitions.length);
    own.responses[0]?.partitions.forEach((fetched, place) => {
      const expected = other.responses[0]!.partitions[place]!;
      const { partition, errorCode, highWatermark, abortedTransactions } = expected;
      expect(fetched).toMatchObject({ partition, errorCode, highWatermark, abortedTransactions });
      expect(fetched.preferredReadReplica).toBe(expected.preferredReadReplica ?? -1);
      expect(fetched.messages.map(({ size }) => size)).toEqual(
        expected.messages.map(({ value }) => value?.length ?? 0),
      );
      expect(fetched.messages.map(seen)).toEqual(
        expected.messages.map(({ offset, key, value, headers, isControlRecord, batchContext }) => ({
          topic: 'usage',
          partition: place,
          offset: BigInt(offset),
          key: key?.toString() ?? '',
          value: value ?? Buffer.alloc(0),
          headers: firstTexts(headers),
          isControlRecord,
          producerId: batchContext.producerId,
          inTransaction: batchContext.inTransaction,
        })),
      );
    });
  };
}
