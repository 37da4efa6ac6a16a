import { crc32c } from './crc32c';

export interface Text {
  readonly key: string;
  readonly text: string;
}

/** Where the checksum lies, and what comes before the records. */
const CHECKSUM_AT = 17;
const CHECKED_FROM = 21;
const RECORDS_FROM = 61;
/** Behind these two fields the length counts. */
const LENGTH_FROM = 12;
/** Of the varints of a record: its length, its place, two lengths in it; and its attributes and time. */
const MOST_AROUND = 5 * 4 + 2;

/**
 * A record batch of version 2 (Kafka's message format), uncompressed, of a producer that is neither idempotent nor
 * transactional.
 * @param headers of every record, as `encodeHeaders` writes them
 */
export function encodeRecordBatch(messages: readonly Text[], headers: Buffer, nowMs: number): Buffer {
  const lengths = messages.map(({ key, text }) => [Buffer.byteLength(key), Buffer.byteLength(text)] as const);
  const most = lengths.reduce((sum, [key, text]) => sum + key + text + headers.length + MOST_AROUND, 0);
  const batch = Buffer.allocUnsafe(RECORDS_FROM + most);
  let at = RECORDS_FROM;
  messages.forEach(({ key, text }, place) => {
    const [keyLength, textLength] = lengths[place] as readonly [number, number];
    const around = 2 + sizeOf(place) + sizeOf(keyLength) + sizeOf(textLength);
    at = writeVarint(batch, around + keyLength + textLength + headers.length, at);
    at = writeVarint(batch, 0, batch.writeInt8(0, at));
    at = writeVarint(batch, place, at);
    at = writeVarint(batch, keyLength, at);
    at += batch.write(key, at);
    at = writeVarint(batch, textLength, at);
    at += batch.write(text, at);
    at += headers.copy(batch, at);
  });
  writeHead(batch, messages.length, at, BigInt(nowMs));
  batch.writeUInt32BE(crc32c(batch, CHECKED_FROM, at), CHECKSUM_AT);
  return batch.subarray(0, at);
}

export function encodeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  const fields = Object.entries(headers).flat();
  const bytes = Buffer.allocUnsafe(fields.reduce((sum, field) => sum + Buffer.byteLength(field) + 5, 5));
  let at = writeVarint(bytes, fields.length / 2, 0);
  for (const field of fields) {
    at = writeVarint(bytes, Buffer.byteLength(field), at);
    at += bytes.write(field, at);
  }
  return bytes.subarray(0, at);
}

/** Everything before the records, apart from the checksum. */
function writeHead(batch: Buffer, records: number, end: number, now: bigint): void {
  const NONE = -1;
  let at = batch.writeBigInt64BE(0n, 0);
  at = batch.writeInt32BE(end - LENGTH_FROM, at);
  at = batch.writeInt32BE(NONE, at);
  batch.writeInt8(2, at);
  at = batch.writeInt16BE(0, CHECKED_FROM);
  at = batch.writeInt32BE(records - 1, at);
  at = batch.writeBigInt64BE(now, at);
  at = batch.writeBigInt64BE(now, at);
  at = batch.writeBigInt64BE(BigInt(NONE), at);
  at = batch.writeInt16BE(NONE, at);
  at = batch.writeInt32BE(NONE, at);
  batch.writeInt32BE(records, at);
}

/** In zigzag, as all integers of a record are: none of those written here is negative. */
function writeVarint(bytes: Buffer, value: number, at: number): number {
  let left = value * 2;
  let end = at;
  while (left >= 128) {
    bytes[end] = (left & 127) | 128;
    end += 1;
    left >>>= 7;
  }
  bytes[end] = left;
  return end + 1;
}

function sizeOf(value: number): number {
  let size = 1;
  for (let left = value * 2; left >= 128; left >>>= 7) size += 1;
  return size;
}
