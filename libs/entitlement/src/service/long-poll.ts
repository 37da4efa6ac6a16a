import { Injectable } from '@nestjs/common';
import type { Position } from '../domain';
import type { StoredEntry } from './entry-store';
import { FeedHub } from './feed-hub';

export interface Changes {
  readonly entries: readonly StoredEntry[];
  readonly to: Position;
  /** Of everything the gate then holds. */
  readonly digest: string;
}

/** Changes for a gate that polls: at once when there are any, else as soon as there are, else none after the wait. */
@Injectable()
export class LongPoll {
  constructor(private readonly hub: FeedHub) {}

  /** Null: the position is too old. */
  async changes(from: Position, tenantId: string | null, waitMs: number): Promise<Changes | null> {
    let waiting = true;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        waiting = false;
        resolve();
      }, waitMs);
    });
    for (;;) {
      const changed = this.hub.changed.next();
      const entries = this.hub.since(from, tenantId);
      if (entries === null || entries.length > 0 || !waiting || waitMs === 0) {
        clearTimeout(timer);
        return entries === null ? null : this.answer(entries, tenantId);
      }
      await Promise.race([changed, over]);
    }
  }

  private answer(entries: readonly StoredEntry[], tenantId: string | null): Changes {
    return { entries, to: this.hub.position, digest: this.hub.state.digest(tenantId) };
  }
}
