import { randomFillSync } from 'node:crypto';

const SIZE = 8_192;

/** Random bytes drawn in bulk: one call into the cryptographic library for a thousand ids. */
export class RandomPool {
  private readonly pool = Buffer.allocUnsafe(SIZE);
  private at = SIZE;

  readonly bytes = (count: number): Uint8Array => {
    if (this.at + count > SIZE) {
      randomFillSync(this.pool);
      this.at = 0;
    }
    this.at += count;
    return this.pool.subarray(this.at - count, this.at);
  };

  /** 0 ≤ n < 1. */
  readonly fraction = (): number => Buffer.from(this.bytes(4)).readUInt32BE() / 2 ** 32;
}
