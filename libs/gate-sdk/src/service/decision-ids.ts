import { Ids, uuidV7 } from '@tallygate/kernel';

const SEQUENCES = 4_096;
const TIME_LENGTH = 'tttttttt-tttt-7'.length;
const COUNT_LENGTH = 'sss'.length;

const HEX: readonly string[] = Array.from({ length: SEQUENCES }, (_, n) => n.toString(16).padStart(3, '0'));

/**
 * UUIDs of version 7 for a process: the random part is drawn once and tells processes apart, time and sequence tell the
 * ids of one process apart. Three texts put together, in a tenth of the time that drawing each id takes.
 */
export class DecisionIds extends Ids {
  private readonly end: string;
  private begin = '';
  private millis = -1;
  private sequence = 0;

  /** @param clock Unix milliseconds; one that steps back is ignored until it has caught up */
  constructor(
    private readonly clock: () => number,
    random: Uint8Array,
  ) {
    super();
    this.end = uuidV7(0, 0, random).slice(TIME_LENGTH + COUNT_LENGTH);
  }

  override next(): string {
    const now = Math.floor(this.clock());
    if (now > this.millis) this.startAt(now);
    else if (this.sequence + 1 < SEQUENCES) this.sequence += 1;
    else this.startAt(this.millis + 1);
    return this.begin + HEX[this.sequence] + this.end;
  }

  private startAt(millis: number): void {
    this.millis = millis;
    this.sequence = 0;
    this.begin = uuidV7(millis, 0, NOTHING).slice(0, TIME_LENGTH);
  }
}

const NOTHING = new Uint8Array(8);
