import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromMillis } from '@tallygate/kernel';
import { usageEvent } from '../domain/usage-event';
import type { UsageEvent } from '../domain/usage-event';
import { FileSpool } from '../file/file-spool';
import { noLog } from './gate-log';
import { UsageEmitter } from './usage-emitter';
import type { EmitterOptions } from './usage-emitter';
import { UsageSink } from './usage-sink';
import type { Delivery } from './usage-sink';
import { MemorySpool } from './usage-spool';
import type { UsageSpool } from './usage-spool';

const TENANT = '0198c0de-0000-7000-8000-000000000001';
const OTHER = '0198c0de-0000-7000-8000-000000000002';

class ScriptedSink extends UsageSink {
  readonly taken = new Map<string, string[]>();
  failures = 0;
  refuses = 0;
  private waiters: (() => void)[] = [];
  tries = 0;

  override async send(tenantId: string, events: readonly UsageEvent[]): Promise<Delivery> {
    this.tries += 1;
    for (const wake of this.waiters.splice(0)) wake();
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('away');
    }
    const refused = Math.min(this.refuses, events.length);
    this.refuses -= refused;
    this.taken.set(tenantId, [...(this.taken.get(tenantId) ?? []), ...events.map(({ id }) => id)]);
    return { taken: events.length - refused, refused, problem: refused === 0 ? null : 'no' };
  }

  override async close(): Promise<void> {}

  tried(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }
}

const usage = (id: string, tenantId = TENANT) => ({
  tenantId,
  event: usageEvent({ source: 'g', id, type: 't', subject: 's', at: fromMillis(0), data: {} }),
});

let sink: ScriptedSink;
let dir: string;

function emitter(options: Partial<EmitterOptions> = {}, spool: UsageSpool = new MemorySpool()): UsageEmitter {
  return new UsageEmitter(sink, spool, { capacity: 100, flushMs: 5, batch: 10, ...options }, noLog);
}

beforeEach(async () => {
  sink = new ScriptedSink();
  dir = await mkdtemp(join(tmpdir(), 'tallygate-spool-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('usage on its way', () => {
  it('goes out in batches, each of one tenant', async () => {
    const emits = emitter({ batch: 2 });
    for (const id of ['1', '2', '3']) emits.report(usage(id));
    emits.report(usage('4', OTHER));
    await emits.drained();
    expect(Object.fromEntries(sink.taken)).toEqual({ [TENANT]: ['1', '2', '3'], [OTHER]: ['4'] });
    expect(sink.tries).toBe(3);
    expect(emits.counts).toEqual({ accepted: 4, delivered: 4, dropped: 0, refused: 0, waiting: 0 });
    await emits.stop();
  });

  it('waits for a sink that is away, in its order', async () => {
    sink.failures = 2;
    const emits = emitter();
    emits.report(usage('1'));
    await sink.tried();
    emits.report(usage('2'));
    await emits.drained();
    expect(sink.taken.get(TENANT)).toEqual(['1', '2']);
    expect(emits.counts).toMatchObject({ delivered: 2, waiting: 0 });
    await emits.stop();
  });

  it('counts what it does not accept, and loses nothing that it accepted', async () => {
    sink.failures = 1;
    const emits = emitter({ capacity: 3 });
    expect(['1', '2', '3', '4', '5'].map((id) => emits.report(usage(id)))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    await emits.drained();
    expect(sink.taken.get(TENANT)).toEqual(['1', '2', '3']);
    expect(emits.counts).toMatchObject({ accepted: 3, dropped: 2, delivered: 3 });
    await emits.stop();
  });

  it('gives up what is refused for good, and goes on', async () => {
    sink.refuses = 1;
    const emits = emitter({ batch: 1 });
    emits.report(usage('1'));
    emits.report(usage('2'));
    await emits.drained();
    expect(emits.counts).toMatchObject({ refused: 1, delivered: 1, waiting: 0 });
    await emits.stop();
  });

  it('outlives its process in a spool', async () => {
    sink.failures = Infinity;
    const first = emitter({}, new FileSpool(dir));
    await first.start();
    for (const id of ['1', '2']) first.report(usage(id));
    first.report(usage('3', OTHER));
    await first.stop();
    expect(await readdir(dir)).toHaveLength(2);

    sink.failures = 0;
    const second = emitter({}, new FileSpool(dir));
    await second.start();
    second.report(usage('4'));
    await second.drained();
    expect(Object.fromEntries(sink.taken)).toEqual({ [TENANT]: ['1', '2', '4'], [OTHER]: ['3'] });
    expect(await readdir(dir)).toEqual([]);
    await second.stop();
  });

  it('stays in memory while the spool cannot be written', async () => {
    const spool = new FileSpool(join(dir, 'gone'));
    const emits = emitter({}, spool);
    emits.report(usage('1'));
    await emits.stop();
    expect(emits.counts).toMatchObject({ accepted: 1, delivered: 0, waiting: 1 });
  });
});
