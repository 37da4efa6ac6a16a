/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4). */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
  return rest;
});

/** The checksum of `bytes` from `start` to before `end`. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let rest = 0xffffffff;
  for (let at = start; at < end; at += 1)
    rest = (TABLE[(rest ^ (bytes[at] as number)) & 255] as number) ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}
