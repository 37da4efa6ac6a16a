import type { Instant } from '@tallygate/kernel';
import type { Database, Log, Sweeper } from '@tallygate/platform';
import type { JournalSeals } from './journal-seals';

/** Turns without work that follow a pass over all wallets: each pass costs a row for every wallet that moved. */
const REST_TURNS = 9;

/** Told what was sealed, for metrics. */
export type SealObserver = (rows: bigint, brokenWallets: number) => void;

/**
 * Seals the journal beside the load: one bounded statement a second, whatever waits, so that sealing falls behind
 * under load and catches up after it instead of taking the machine from who writes. It is no part of a tenant's
 * virtual clock: what is sealed changes no balance.
 */
export class JournalSealer implements Sweeper {
  readonly name = 'journal seals';
  private after = 0n;
  private rest = 0;

  constructor(
    private readonly database: Database,
    private readonly seals: JournalSeals,
    private readonly log: Log,
    private readonly observe: SealObserver,
  ) {}

  /** @returns 0 always: the next turn is in a second, even when there is more */
  async sweep(_scope: string | null, systemNow: Instant): Promise<number> {
    if (this.rest > 0) this.rest -= 1;
    else await this.round(systemNow);
    return 0;
  }

  async nextDue(): Promise<Instant | null> {
    return null;
  }

  private async round(now: Instant): Promise<void> {
    const done = await this.database.asWorker(async (tx) =>
      (await this.seals.begin(tx)) ? this.seals.seal(tx, this.after, now) : null,
    );
    if (done === null) return;
    if (done.broken.length > 0)
      this.log.error({ wallets: done.broken.map(String) }, 'rows of the journal are missing; not sealed');
    this.observe(done.rows, done.broken.length);
    this.after = done.next ?? 0n;
    if (done.next === null) this.rest = REST_TURNS;
  }
}
