import type { IncomingMessage } from './event-bus';

/** What the records of one batch share. */
export interface BatchOfRecords {
  readonly topic: string;
  readonly partition: number;
  /** The records, uncompressed, somewhere in it. */
  readonly bytes: Buffer;
  readonly baseOffset: bigint;
  /** Marks the end of a transaction; none of its records is a message. */
  readonly isControl: boolean;
  readonly inTransaction: boolean;
  /** As kafkajs compares it with those of aborted transactions. */
  readonly producerId: string;
}

type Headers = Readonly<Record<string, string>>;

/** The headers of the record last asked: those of its neighbours mostly are the same bytes. */
class LastHeaders {
  private from = 0;
  private to = 0;
  private headers: Headers | null = null;

  constructor(private readonly bytes: Buffer) {}

  read(from: number, to: number): Headers {
    const { headers, bytes } = this;
    if (headers !== null && bytes.compare(bytes, this.from, this.to, from, to) === 0) return headers;
    this.from = from;
    this.to = to;
    return (this.headers = headersIn(bytes, from));
  }
}

/**
 * A record of a fetched batch. It is read where it lies when it is asked for: an answer holds tens of thousands, most of
 * which wait while others are in work, and whatever is made of a waiting record is copied by the garbage collector.
 */
export class FetchedRecord implements IncomingMessage {
  constructor(
    /** By this name kafkajs looks for what it knows of the batch. */
    readonly batchContext: BatchOfRecords,
    private readonly lastHeaders: LastHeaders,
    readonly offset: bigint,
    private readonly keyAt: number,
    private readonly keyEnd: number,
    private readonly valueAt: number,
    private readonly valueEnd: number,
    private readonly headersAt: number,
    private readonly end: number,
  ) {}

  get topic(): string {
    return this.batchContext.topic;
  }

  get partition(): number {
    return this.batchContext.partition;
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControl;
  }

  /** A control record's as text, too: kafkajs knows the end of an aborted transaction by its four zero bytes. */
  get key(): string {
    return this.batchContext.bytes.toString('utf8', this.keyAt, this.keyEnd);
  }

  get value(): Buffer {
    return this.batchContext.bytes.subarray(this.valueAt, this.valueEnd);
  }

  get size(): number {
    return this.valueEnd - this.valueAt;
  }

  get headers(): Headers {
    return this.lastHeaders.read(this.headersAt, this.end);
  }
}

/**
 * Reads the records of a batch of message format 2, see https://kafka.apache.org/documentation/#record.
 * @param at of the first
 * @throws RangeError where the bytes end before the records do
 */
export function readRecords(batch: BatchOfRecords, count: number, at: number): FetchedRecord[] {
  const { bytes, baseOffset } = batch;
  const records: FetchedRecord[] = [];
  const lastHeaders = new LastHeaders(bytes);
  const read = new Varints(bytes, at);
  for (let place = 0; place < count; place += 1) {
    const end = read.next() + read.at;
    if (end > bytes.length) throw new RangeError(`Record ${place} of ${count} ends beyond its batch`);
    read.at += ATTRIBUTES;
    read.skip(); // the time
    const offset = baseOffset + BigInt(read.next());
    const keyAt = read.lengthAndAt();
    const keyEnd = read.at;
    const valueAt = read.lengthAndAt();
    const valueEnd = read.at;
    records.push(
      new FetchedRecord(batch, lastHeaders, offset, keyAt, keyEnd, valueAt, valueEnd, valueEnd, end),
    );
    read.at = end;
  }
  return records;
}

const ATTRIBUTES = 1;

function headersIn(bytes: Buffer, at: number): Headers {
  const headers: Record<string, string> = {};
  const read = new Varints(bytes, at);
  for (let left = read.next(); left > 0; left -= 1) {
    const name = read.text() ?? '';
    const value = read.text();
    // Of several with one name the first counts.
    if (value !== null) headers[name] ??= value;
  }
  return headers;
}

/** The integers of a record: zigzag, seven bits a byte, the lowest first. */
class Varints {
  constructor(
    private readonly bytes: Buffer,
    public at: number,
  ) {}

  next(): number {
    let value = 0;
    let shift = 0;
    let byte = 0;
    do {
      byte = this.bytes[this.at++] ?? 0;
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte > 127);
    return (value >>> 1) ^ -(value & 1);
  }

  skip(): void {
    while ((this.bytes[this.at++] ?? 0) > 127);
  }

  /** Passes a field with its length before it. @returns where the field begins; nothing, where it is null */
  lengthAndAt(): number {
    const length = this.next();
    const begin = this.at;
    if (length > 0) this.at += length;
    return begin;
  }

  text(): string | null {
    const length = this.next();
    if (length < 0) return null;
    return this.bytes.toString('utf8', this.at, (this.at += length));
  }
}
