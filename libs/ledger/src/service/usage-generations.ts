import type { Instant } from '@tallygate/kernel';
import { addMicros, MICROS } from '@tallygate/kernel';
import type { Database, Log, Sweeper, Tx } from '@tallygate/platform';
import { stepsDue } from '../domain';
import type { Generation, GenerationStep } from '../domain';

/** Partitions of the usage record. What changes tables is done by their owner, one process at a time. */
export abstract class GenerationStore {
  /** @returns whether this transaction is the one that maintains now */
  abstract begin(tx: Tx): Promise<boolean>;
  abstract list(tx: Tx): Promise<readonly Generation[]>;
  /** The longest dedup window of any tenant, or the default when that is longer. */
  abstract windowMicros(tx: Tx): Promise<number>;
  /** Makes a partition like an existing one, beside the writers. May be repeated. */
  abstract create(generation: number, like: number): Promise<void>;
  /** Notes the end of what `create` began. */
  abstract created(tx: Tx, generation: number): Promise<void>;
  abstract date(tx: Tx, generation: number, now: Instant): Promise<void>;
  /**
   * Lets slices in hand end, and makes the others wait, for at most `waitMs`.
   * @returns whether the next generation takes new events now; false: the wait was too long, nothing has changed
   */
  abstract open(tx: Tx, generation: number, closes: number, now: Instant, waitMs: number): Promise<boolean>;
  abstract keep(tx: Tx, generation: number): Promise<void>;
}

const EVERY = 60 * MICROS.second;
/** How long writers may be kept waiting by a try to open the next generation. */
const WAIT_MS = 100;

/**
 * Opens the next generation of the usage record when the dedup window of the current one is over, and stops looking
 * into those whose own is. Runs by the machine's clock: arrival counts here, not the time of an event.
 */
export class UsageGenerations implements Sweeper {
  readonly name = 'usage generations';
  private next: Instant | null = null;

  constructor(
    private readonly database: Database,
    private readonly store: GenerationStore,
    private readonly log: Log,
  ) {}

  /** @returns 0 always: nothing here is urgent */
  async sweep(_scope: string | null, systemNow: Instant): Promise<number> {
    if (this.next !== null && systemNow < this.next) return 0;
    this.next = addMicros(systemNow, EVERY);
    await this.maintain(systemNow);
    return 0;
  }

  async nextDue(): Promise<Instant | null> {
    return null;
  }

  /** @returns what was done */
  async maintain(now: Instant): Promise<readonly GenerationStep['step'][]> {
    const done: GenerationStep['step'][] = [];
    for (const due of await this.due(now)) {
      if (!(await this.take(due, now))) break;
      this.log.info({ ...due }, 'usage generation');
      done.push(due.step);
    }
    return done;
  }

  private due(now: Instant): Promise<readonly GenerationStep[]> {
    return this.database.asWorker(async (tx) => {
      if (!(await this.store.begin(tx))) return [];
      return stepsDue(await this.store.list(tx), now, await this.store.windowMicros(tx));
    });
  }

  private async take(due: GenerationStep, now: Instant): Promise<boolean> {
    if (due.step === 'create') await this.store.create(due.generation, due.like);
    return this.database.asWorker((tx) => this.record(tx, due, now));
  }

  private async record(tx: Tx, due: GenerationStep, now: Instant): Promise<boolean> {
    if (due.step === 'open') return this.store.open(tx, due.generation, due.closes, now, WAIT_MS);
    if (due.step === 'create') await this.store.created(tx, due.generation);
    else if (due.step === 'keep') await this.store.keep(tx, due.generation);
    else await this.store.date(tx, due.generation, now);
    return true;
  }
}
