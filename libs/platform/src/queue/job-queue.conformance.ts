import { Signal } from '../flow/signal';
import type { Job, JobQueue } from './job-queue';

const ONE = '00000000-0000-7000-8000-000000000001';
const TWO = '00000000-0000-7000-8000-000000000002';

export function job(id: string, tenantId = ONE, payload: unknown = { id }): Job<unknown> {
  return { id, tenantId, payload };
}

/** A handler that a test can hold back, and that tells what it did. */
export class Worker {
  readonly handled: Job<unknown>[] = [];
  readonly begun: string[] = [];
  private readonly changed = new Signal();
  private gate: Promise<void> = Promise.resolve();
  private openGate: () => void = () => undefined;

  hold(): void {
    this.gate = new Promise((resolve) => (this.openGate = resolve));
  }

  release(): void {
    this.openGate();
  }

  readonly handle = async (given: Job<unknown>): Promise<void> => {
    this.begun.push(given.id);
    this.changed.raise();
    await this.gate;
    this.handled.push(given);
    this.changed.raise();
    if ((given.payload as { readonly fail?: boolean }).fail === true) throw new Error('the job failed');
  };

  ids(): string[] {
    return this.handled.map((one) => one.id);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.changed.next();
  }
}

/** What every queue promises. `create` gives a queue object of the installation `installation` on one shared backend. */
export function jobQueueConformance(name: string, create: (installation: string) => Promise<JobQueue>): void {
  describe(`${name} keeps the promises of a job queue`, () => {
    let queue: JobQueue;
    let worker: Worker;
    let work: string;
    let tests = 0;

    beforeAll(async () => (queue = await create('conformance')));
    afterAll(() => queue?.close());
    beforeEach(async () => {
      work = `work-${(tests += 1)}`;
      worker = new Worker();
      await queue.work({ queue: work, concurrency: 4, handle: worker.handle });
    });

    it('runs a job with what it was given', async () => {
      await queue.add(work, [job('charge:1/ä 7', ONE, { amount: '10.50', nested: [1, null] })]);
      await queue.idle(ONE);
      expect(worker.handled).toEqual([job('charge:1/ä 7', ONE, { amount: '10.50', nested: [1, null] })]);
    });

    it('takes ids that are numbers or hold colons', async () => {
      await queue.add(work, [job('42'), job('a:b:c')]);
      await queue.idle(ONE);
      expect(worker.ids().sort()).toEqual(['42', 'a:b:c']);
    });

    it('queues an id once while it waits or runs', async () => {
      worker.hold();
      await queue.add(work, [job('1'), job('1')]);
      await worker.until(() => worker.begun.length > 0);
      await queue.add(work, [job('1')]);
      worker.release();
      await queue.idle(ONE);
      expect(worker.ids()).toEqual(['1']);
    });

    it('takes an id again once it is done or has failed', async () => {
      for (const fail of [false, true, false]) {
        await queue.add(work, [job('1', ONE, { fail })]);
        await queue.idle(ONE);
      }
      expect(worker.handled.map((one) => one.payload)).toEqual([
        { fail: false },
        { fail: true },
        { fail: false },
      ]);
    });

    it('tries a failed job no second time by itself', async () => {
      await queue.add(work, [job('bad', ONE, { fail: true }), job('good')]);
      await queue.idle(ONE);
      expect(worker.ids().sort()).toEqual(['bad', 'good']);
    });

    it('runs as many at once as asked, and no more', async () => {
      worker.hold();
      await queue.add(
        work,
        ['1', '2', '3', '4', '5', '6'].map((id) => job(id)),
      );
      await worker.until(() => worker.begun.length === 4);
      expect(worker.handled).toEqual([]);
      worker.release();
      await queue.idle(ONE);
      expect(worker.ids().sort()).toEqual(['1', '2', '3', '4', '5', '6']);
    });

    it('is idle for one tenant while another is busy', async () => {
      worker.hold();
      await queue.add(work, [job('1', ONE)]);
      await worker.until(() => worker.begun.length === 1);
      await queue.idle(TWO);
      let idle = false;
      const waiting = queue.idle(ONE).then(() => (idle = true));
      expect(idle).toBe(false);
      worker.release();
      await waiting;
      expect(worker.ids()).toEqual(['1']);
    });

    it('is idle only when the jobs that a job queued are done too', async () => {
      const follow = `${work}-next`;
      const next = new Worker();
      await queue.work({ queue: follow, concurrency: 1, handle: next.handle });
      await queue.work({
        queue: `${work}-first`,
        concurrency: 1,
        handle: ({ id, tenantId }) => queue.add(follow, [job(`after-${id}`, tenantId)]),
      });
      await queue.add(`${work}-first`, [job('1')]);
      await queue.idle(ONE);
      expect(next.ids()).toEqual(['after-1']);
    });

    it('is idle although another process ran the job', async () => {
      const elsewhere = await create('conformance');
      const there = new Worker();
      await elsewhere.work({ queue: `${work}-there`, concurrency: 1, handle: there.handle });
      await queue.add(`${work}-there`, [job('1')]);
      await queue.idle(ONE);
      expect(there.ids()).toEqual(['1']);
      await elsewhere.close();
    });

    it('refuses a second handler of a queue', async () => {
      await expect(queue.work({ queue: work, concurrency: 1, handle: worker.handle })).rejects.toThrow(
        'has a handler already',
      );
    });

    it('keeps installations apart', async () => {
      const other = await create('another');
      const stranger = new Worker();
      await other.work({ queue: work, concurrency: 1, handle: stranger.handle });
      await queue.add(work, [job('1')]);
      await queue.idle(ONE);
      await other.close();
      expect([worker.ids(), stranger.ids()]).toEqual([['1'], []]);
    });

    it('runs what was queued before there was a handler', async () => {
      const late = new Worker();
      await queue.add(`${work}-late`, [job('1'), job('2')]);
      await queue.work({ queue: `${work}-late`, concurrency: 1, handle: late.handle });
      await queue.idle(ONE);
      expect(late.ids()).toEqual(['1', '2']);
    });

    it('finishes the job in hand before it closes', async () => {
      const closing = await create('conformance');
      const last = new Worker();
      last.hold();
      await closing.work({ queue: `${work}-closing`, concurrency: 1, handle: last.handle });
      await closing.add(`${work}-closing`, [job('1')]);
      await last.until(() => last.begun.length === 1);
      const closed = closing.close();
      last.release();
      await closed;
      expect(last.ids()).toEqual(['1']);
      await expect(closing.add(work, [job('2')])).rejects.toThrow('closed');
    });
  });
}
