import { JobsInFlight } from './jobs-in-flight';

const TENANT = '00000000-0000-7000-8000-000000000001';
const job = { id: 'remind', tenantId: TENANT };

describe('jobs in flight', () => {
  let backend: Set<string>;
  let jobs: JobsInFlight;

  beforeEach(() => {
    backend = new Set();
    jobs = new JobsInFlight((_, id) => Promise.resolve(backend.has(id)));
  });

  it('waits for a job that is on its way to a backend which does not know it yet', async () => {
    const queueing = jobs.queueing('mail', [job]);
    const waiting = jobs.idle(TENANT);
    expect(await stillWaiting(waiting)).toBe(true);
    backend.add(job.id);
    jobs.queued(queueing);
    jobs.started('mail', job);
    jobs.ended('mail', job);
    backend.delete(job.id);
    jobs.finished('mail', job);
    await waiting;
  });

  it('waits for a job that is queued again while it is asked about', async () => {
    let answer: (there: boolean) => void = () => undefined;
    jobs = new JobsInFlight(() => new Promise((resolve) => (answer = resolve)));
    jobs.queued(jobs.queueing('mail', [job]));
    const waiting = jobs.idle(TENANT);
    jobs.queueing('mail', [job]);
    answer(false);
    expect(await stillWaiting(waiting)).toBe(true);
    jobs.close();
    await waiting;
  });

  it('waits for a job that was queued again, and taken, before an older question is answered', async () => {
    let answer: (there: boolean) => void = () => undefined;
    jobs = new JobsInFlight(() => new Promise((resolve) => (answer = resolve)));
    jobs.queued(jobs.queueing('mail', [job]));
    const waiting = jobs.idle(TENANT);
    jobs.queued(jobs.queueing('mail', [job]));
    answer(false);
    expect(await stillWaiting(waiting)).toBe(true);
    jobs.close();
    await waiting;
  });

  it('waits for a job that is queued again while its last run ends', async () => {
    jobs.started('mail', job);
    const queueing = jobs.queueing('mail', [job]);
    jobs.finished('mail', job);
    backend.add(job.id);
    jobs.queued(queueing);
    const waiting = jobs.idle(TENANT);
    expect(await stillWaiting(waiting)).toBe(true);
    jobs.finished('mail', job);
    await waiting;
  });

  it('waits no longer for a job that ran elsewhere, or that could not be queued', async () => {
    jobs.queued(jobs.queueing('mail', [job]));
    jobs.doubtful(jobs.queueing('mail', [{ id: 'other', tenantId: TENANT }]));
    await jobs.idle(TENANT);
  });
});

/** After everything that can go on has gone on. */
async function stillWaiting(waiting: Promise<void>): Promise<boolean> {
  let done = false;
  void waiting.then(() => (done = true));
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return !done;
}
