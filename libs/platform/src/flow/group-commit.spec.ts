import { AsyncLocalStorage } from 'node:async_hooks';
import { GroupCommit } from './group-commit';
import type { GroupCommitOptions } from './group-commit';

interface Open {
  readonly items: readonly number[];
  readonly end: () => void;
}

/** Items are their sizes; each group stays open until it is ended. */
class Work {
  readonly open: Open[] = [];
  readonly taken: (readonly number[])[] = [];

  readonly commit = async (items: readonly number[]): Promise<readonly number[]> => {
    this.taken.push(items);
    await new Promise<void>((resolve) => this.open.push({ items, end: resolve }));
    if (items.includes(13)) throw new Error(`13 among ${items.length}`);
    return items.map((item) => item * 10);
  };

  async endAll(): Promise<void> {
    while (this.open.length > 0) {
      this.open.shift()?.end();
      await turn();
    }
  }
}

const turn = (): Promise<void> =>
  new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));

function over(work: Work, options: Partial<GroupCommitOptions<number, number>> = {}) {
  const sizes = { most: 100, enough: 10, lanes: 2 };
  return new GroupCommit<number, number>({
    commit: work.commit,
    sizeOf: (size) => size,
    ...sizes,
    ...options,
  });
}

describe('GroupCommit', () => {
  it('takes together what comes in one turn, and answers each its own outcome', async () => {
    const work = new Work();
    const group = over(work, { enough: 100 });
    const outcomes = Promise.all([1, 2, 3].map((size) => group.add(size)));
    await turn();
    expect(work.taken).toEqual([[1, 2, 3]]);
    await work.endAll();
    await expect(outcomes).resolves.toEqual([10, 20, 30]);
  });

  it('shares out among its lanes what is enough for several groups, in groups of about one size', async () => {
    const work = new Work();
    const group = over(work);
    const outcomes = Promise.all([9, 8, 2, 7, 8].map((size) => group.add(size)));
    await turn();
    expect(work.taken).toEqual([
      [9, 8],
      [2, 7, 8],
    ]);
    await work.endAll();
    await outcomes;
  });

  it('gathers what comes while all lanes are in work', async () => {
    const work = new Work();
    const group = over(work, { lanes: 1 });
    const first = group.add(1);
    await turn();
    const others = Promise.all([2, 3].map((size) => group.add(size)));
    await turn();
    expect(work.taken).toEqual([[1]]);
    await work.endAll();
    expect(work.taken).toEqual([[1], [2, 3]]);
    await expect(Promise.all([first, others])).resolves.toEqual([10, [20, 30]]);
  });

  it('makes no group larger than it may be, unless an item is', async () => {
    const work = new Work();
    const group = over(work, { lanes: 1 });
    const outcomes = Promise.all([150, 60, 50, 40].map((size) => group.add(size)));
    await turn();
    await work.endAll();
    expect(work.taken).toEqual([[150], [60], [50, 40]]);
    await outcomes;
  });

  it('tries each item alone when their group fails, and fails the one that cannot be', async () => {
    const work = new Work();
    const group = over(work, { enough: 100 });
    const outcomes = Promise.allSettled([1, 13, 2].map((size) => group.add(size)));
    await turn();
    await work.endAll();
    expect(work.taken).toEqual([[1, 13, 2], [1], [13], [2]]);
    expect(await outcomes).toEqual([
      { status: 'fulfilled', value: 10 },
      { status: 'rejected', reason: new Error('13 among 1') },
      { status: 'fulfilled', value: 20 },
    ]);
    const after = group.add(4);
    await turn();
    await work.endAll();
    await expect(after).resolves.toBe(40);
  });

  it('works in the context of its first item, not in that of the group before', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const work = new Work();
    const commit = (items: readonly number[]): Promise<readonly number[]> => {
      seen.push(context.getStore());
      return work.commit(items);
    };
    const group = over(work, { commit, lanes: 1 });
    const outcomes = ['one', 'two', 'three'].map((name) => context.run(name, () => group.add(100)));
    await turn();
    await work.endAll();
    await Promise.all(outcomes);
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  it('tries none of a group alone when its failure is an outage', async () => {
    const work = new Work();
    const group = over(work, { enough: 100, isOutage: (error) => String(error).includes('among') });
    const outcomes = Promise.allSettled([1, 13, 2].map((size) => group.add(size)));
    await turn();
    await work.endAll();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(work.taken).toEqual([[1, 13, 2]]);
  });
});
