import { AsyncResource } from 'node:async_hooks';

export interface GroupCommitOptions<Item, Outcome> {
  /** Commits all items or none. @returns one outcome per item, in order */
  readonly commit: (items: readonly Item[]) => Promise<readonly Outcome[]>;
  readonly sizeOf: (item: Item) => number;
  /** Size of a group, unless an item is larger alone. */
  readonly most: number;
  /** Size below which what waits is not shared out among several groups. */
  readonly enough: number;
  /** Groups in work at the same time. */
  readonly lanes: number;
  /** Whether a failure is everybody's, whatever the items are: then none of the group is tried alone. */
  readonly isOutage?: (error: unknown) => boolean;
}

interface Waiting<Item, Outcome> {
  readonly item: Item;
  /** In which it was added. */
  readonly context: AsyncResource;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits together what comes while other commits are in work, so that the busier it is the less each item costs. When
 * a group fails each of its items is tried alone: one that cannot be committed holds up no other.
 */
export class GroupCommit<Item, Outcome> {
  private waiting: Waiting<Item, Outcome>[] = [];
  private running = 0;
  private scheduled = false;

  constructor(private readonly options: GroupCommitOptions<Item, Outcome>) {}

  add(item: Item): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, context: new AsyncResource('GroupCommit'), resolve, reject });
      this.schedule();
    });
  }

  /** Not at once: what comes in the same turn belongs together. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.start();
    });
  }

  private start(): void {
    const { enough, lanes } = this.options;
    let free = Math.min(lanes - this.running, Math.ceil(this.sizeOf(this.waiting) / enough) || 1);
    for (; free > 0 && this.waiting.length > 0; free -= 1) void this.run(this.take(free));
  }

  /** The first of those waiting, as one of `groups` groups of about one size. */
  private take(groups: number): Waiting<Item, Outcome>[] {
    const share = Math.min(this.options.most, this.sizeOf(this.waiting) / groups);
    let size = 0;
    let count = 0;
    for (const { item } of this.waiting) {
      const next = this.options.sizeOf(item);
      // Half of it or more on this side of the share: it belongs here.
      if (count > 0 && (size + next > this.options.most || size + next / 2 > share)) break;
      size += next;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private sizeOf(waiting: readonly Waiting<Item, Outcome>[]): number {
    return waiting.reduce((sum, { item }) => sum + this.options.sizeOf(item), 0);
  }

  private async run(group: readonly Waiting<Item, Outcome>[]): Promise<void> {
    this.running += 1;
    try {
      await this.commit(group);
    } finally {
      this.running -= 1;
      this.schedule();
    }
  }

  private async commit(group: readonly Waiting<Item, Outcome>[]): Promise<void> {
    try {
      const outcomes = await this.inContext(group);
      group.forEach(({ resolve }, place) => resolve(outcomes[place] as Outcome));
    } catch (error) {
      const together = group.length === 1 || this.options.isOutage?.(error) === true;
      if (together) for (const one of group) one.reject(error);
      else for (const one of group) await this.commit([one]);
    }
  }

  /** A trace goes on from the first item, and nothing from whoever was in work when the group began. */
  private inContext(group: readonly Waiting<Item, Outcome>[]): Promise<readonly Outcome[]> {
    const items = group.map(({ item }) => item);
    const { commit } = this.options;
    return group[0]?.context.runInAsyncScope(commit, undefined, items) ?? commit(items);
  }
}
