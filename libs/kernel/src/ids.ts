import { invariant } from './invariant';

/** A source of identifiers: lower-case UUIDs (version 7) whose text order is their order of creation. */
export abstract class Ids {
  abstract next(): string;
}

const MOST_MILLIS = 2 ** 48 - 1;
const MOST_SEQUENCE = 0xfff;
const RANDOM_BYTES = 8;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * RFC 9562 version 7: 48 bits of Unix milliseconds, 12 of sequence, 62 of the first 8 random bytes.
 * Throws InvariantViolation when a part does not fit.
 */
export function uuidV7(millis: number, sequence: number, random: Uint8Array): string {
  invariant(
    Number.isInteger(millis) && millis >= 0 && millis <= MOST_MILLIS,
    'Milliseconds must fit 48 bits',
  );
  invariant(
    Number.isInteger(sequence) && sequence >= 0 && sequence <= MOST_SEQUENCE,
    'Sequence must fit 12 bits',
  );
  invariant(random.length >= RANDOM_BYTES, 'A UUID takes 8 random bytes');
  const time = millis.toString(16).padStart(12, '0');
  const count = sequence.toString(16).padStart(3, '0');
  const hex = (at: number): string => HEX[random[at] ?? 0] ?? '00';
  const variant = HEX[0x80 | ((random[0] ?? 0) & 0x3f)] ?? '80';
  const node = hex(2) + hex(3) + hex(4) + hex(5) + hex(6) + hex(7);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${hex(1)}-${node}`;
}

/**
 * Strictly increasing within a process. Ids of one millisecond count a sequence up; when it is full the next
 * millisecond is borrowed, and a clock that steps back is ignored until it has caught up.
 */
export class SequentialIds extends Ids {
  private millis = -1;
  private sequence = 0;

  constructor(
    private readonly clock: () => number,
    private readonly random: (bytes: number) => Uint8Array,
  ) {
    super();
  }

  next(): string {
    this.tick(Math.floor(this.clock()));
    return uuidV7(this.millis, this.sequence, this.random(RANDOM_BYTES));
  }

  private tick(now: number): void {
    if (now > this.millis) {
      this.millis = now;
      this.sequence = 0;
    } else if (this.sequence < MOST_SEQUENCE) {
      this.sequence += 1;
    } else {
      this.millis += 1;
      this.sequence = 0;
    }
  }
}

/** True for the text form of a UUID of any version, in either case. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && UUID.test(text);
}
