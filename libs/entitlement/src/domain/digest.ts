/** 64 bits in two lanes. Not cryptographic: it notices drift, it does not resist an attacker. */
export interface Lanes {
  high: number;
  low: number;
}

/**
 * The digest of a set of (key, version), independent of the order in which it came to be: the exclusive or of one hash
 * per member. Adding a member and taking it away are the same operation.
 */
export class Digest {
  private high = 0;
  private low = 0;

  toggle(tenantId: string, kind: string, key: string, version: number): void {
    const { high, low } = hash(`${tenantId}\n${kind}\n${key}\n${version}`);
    this.high ^= high;
    this.low ^= low;
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex(this.high) + hex(this.low);
  }
}

/** The digest of no entries at all. */
export const EMPTY_DIGEST = '0'.repeat(16);

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}

/** Two multiplicative hashes over the UTF-16 units, mixed into each other at the end (after MurmurHash3's finalizer). */
function hash(text: string): Lanes {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = mix(a ^ (b >>> 15));
  b = mix(b ^ (a >>> 13));
  return { high: a, low: b };
}

function mix(lane: number): number {
  let x = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
