import { Injectable } from '@nestjs/common';
import { addMicros, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Database } from '@tallygate/platform';
import type { Sweeper } from '@tallygate/platform';
import { CheckpointStore } from './checkpoint-store';

const MOST_AT_ONCE = 200;

/**
 * Writes checkpoints of long journals once a minute; until then a past balance only reads more rows. Nothing depends on
 * them but speed, so that a virtual clock need not wait for them.
 */
@Injectable()
export class CheckpointSweeper implements Sweeper {
  readonly name = 'ledger checkpoints';
  private next: Instant | null = null;

  constructor(
    private readonly database: Database,
    private readonly store: CheckpointStore,
  ) {}

  async sweep(scope: string | null, systemNow: Instant): Promise<number> {
    if (scope !== null || (this.next !== null && systemNow < this.next)) return 0;
    const did = await this.write();
    if (did === 0) this.next = addMicros(systemNow, MICROS.minute);
    return did;
  }

  async nextDue(): Promise<null> {
    return null;
  }

  /** @returns how many were written; 0 when every journal has its own */
  async write(): Promise<number> {
    const wallets = await this.database.asWorker((tx) => this.store.wanting(tx, MOST_AT_ONCE));
    let written = 0;
    for (const wallet of wallets)
      if (await this.database.asWorker((tx) => this.store.add(tx, wallet))) written += 1;
    return written;
  }
}
