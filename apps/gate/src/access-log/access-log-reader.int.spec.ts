import {
  appendFile,
  copyFile,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@tallygate/platform';
import fc from 'fast-check';
import { CapturedUsage } from '../testing/captured-usage';
import { AccessLogReader } from './access-log-reader';

const TENANT = '0198c0de-0000-7000-8000-000000000001';

let dir: string;
let path: string;
let sink: CapturedUsage;
let reader: AccessLogReader;

const start = (tenantId?: string): AccessLogReader =>
  new AccessLogReader({ path, stateDir: join(dir, 'state'), sink, tenantId, log: silentLog });

async function restart(): Promise<void> {
  await reader.close();
  reader = start();
}

const line = (id: string, changes: object = {}): string =>
  `${JSON.stringify({
    specversion: '1.0',
    accesslog: '1',
    id,
    source: 'edge-1',
    type: 'gate.request',
    time: '2026-03-01T00:00:00.000+00:00',
    tenant: TENANT,
    subject: 'acme-1',
    data: { status: '200' },
    ...changes,
  })}\n`;

const write = (...ids: readonly string[]): Promise<void> =>
  appendFile(path, ids.map((id) => line(id)).join(''));

async function rejected(): Promise<readonly Record<string, unknown>[]> {
  const text = await readFile(join(dir, 'state/rejected.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each) as Record<string, unknown>);
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'access-log-'));
  path = join(dir, 'usage.log');
  sink = new CapturedUsage();
  reader = start();
});
afterEach(async () => {
  await reader.close();
  await rm(dir, { recursive: true });
});

describe('a log that grows', () => {
  it('is read as it grows, before it is there and after a restart too', async () => {
    await reader.poll();
    await write('1', '2');
    await reader.poll();
    await reader.poll();
    await write('3');
    await restart();
    await reader.poll();
    expect(sink.ids).toEqual(['1', '2', '3']);
    expect(sink.taken[0]?.tenantId).toBe(TENANT);
    expect(reader.counts).toMatchObject({ reported: 1, rejected: 0, behindBytes: 0, gaps: 0 });
  });

  it('has a last line that waits for its end', async () => {
    const text = line('1');
    await appendFile(path, text.slice(0, 40));
    await reader.poll();
    expect(sink.ids).toEqual([]);
    await appendFile(path, text.slice(40));
    await reader.poll();
    expect(sink.ids).toEqual(['1']);
  });
});

describe('lines that are no usage', () => {
  it('are kept with what is wrong, and block nothing', async () => {
    await write('1');
    await appendFile(path, `{"torn\n127.0.0.1 - - "GET /"\n${'x'.repeat(70_000)}\n`);
    await appendFile(path, line('2', { tenant: 'acme' }) + line('', {}));
    await write('3');
    await reader.poll();
    expect(sink.ids).toEqual(['1', '3']);
    expect(reader.counts).toMatchObject({ reported: 2, rejected: 5 });
    const kept = await rejected();
    expect(kept.map(({ problem }) => problem)).toEqual([
      'is not a line of the format that infra/gateways writes',
      'is not a line of the format that infra/gateways writes',
      'is longer than 64 KiB',
      'names no tenant',
      'names no id and source',
    ]);
    expect(kept[0]).toMatchObject({ log: path, offset: line('1').length, line: '{"torn' });
  });

  it('are passed over where nobody is billed', async () => {
    await appendFile(path, line('1', { subject: '' }));
    await reader.poll();
    expect(reader.counts).toMatchObject({ reported: 0, rejected: 0, unbilled: 1 });
  });

  it('are those of other tenants, where the gate has only one', async () => {
    reader = start('0198c0de-0000-7000-8000-000000000002');
    await write('1');
    await appendFile(path, line('2', { tenant: '' }));
    await reader.poll();
    expect(sink.ids).toEqual(['2']);
    expect((await rejected())[0]).toMatchObject({ problem: 'is of another tenant' });
  });

  it('are those that ingestion refuses for good', async () => {
    sink.refuses = ({ id }) => id === '2';
    await write('1', '2', '3');
    await reader.poll();
    expect(sink.ids).toEqual(['1', '3']);
    expect(await rejected()).toMatchObject([{ problem: 'refused by a test', offset: line('1').length }]);
  });
});

describe('rotation', () => {
  it('by rename: what is written to the old file afterwards is read too', async () => {
    await write('1');
    await reader.poll();
    await rename(path, `${path}.1`);
    await appendFile(`${path}.1`, line('2'));
    await write('3');
    await reader.poll();
    await appendFile(`${path}.1`, line('4'));
    await reader.poll();
    expect(sink.ids).toEqual(['1', '2', '3', '4']);
  });

  it('several times while nobody read', async () => {
    await write('1');
    await reader.poll();
    for (const [id, later] of [
      ['2', '3'],
      ['4', '5'],
    ] as const) {
      await write(id);
      await rename(`${path}.1`, `${path}.2`).catch(() => undefined);
      await rename(path, `${path}.1`);
      await write(later);
    }
    await restart();
    await reader.poll();
    expect(sink.ids).toEqual(['1', '2', '3', '4', '5']);
    expect(reader.counts.gaps).toBe(0);
  });

  it('by copy and truncate: the rest is read from the copy', async () => {
    await write('1', '2');
    await reader.poll();
    await write('3');
    await copyFile(path, `${path}.1`);
    await truncate(path);
    await write('4');
    await reader.poll();
    expect(sink.ids).toEqual(['1', '2', '3', '4']);
  });

  it('by copy and truncate, with a new log longer than what was read of the old', async () => {
    await write('1');
    await reader.poll();
    await truncate(path);
    await write('2', '3', '4');
    await reader.poll();
    expect(sink.ids).toEqual(['1', '2', '3', '4']);
  });

  it('by a compressing one: an open file is read to its end when its name is gone', async () => {
    await write('1');
    await reader.poll();
    await write('2');
    await rename(path, `${path}.1.gz`);
    await write('3');
    await reader.poll();
    expect(sink.ids).toEqual(['1', '2', '3']);
    expect(reader.counts.gaps).toBe(0);
  });

  it('that took the log away while nobody read is told', async () => {
    await write('1');
    await reader.poll();
    await write('2');
    await rm(path);
    await write('3');
    await restart();
    await reader.poll();
    expect(sink.ids).toEqual(['1', '3']);
    expect(reader.counts.gaps).toBe(1);
  });

  it('before the very first start is none of ours', async () => {
    await writeFile(`${path}.1`, line('old'));
    await write('1');
    await reader.poll();
    expect(sink.ids).toEqual(['1']);
  });
});

describe('an agent that dies', () => {
  it('anywhere, sends every line, some twice: the ids are what counts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('write', 'poll', 'fail', 'die', 'rename', 'truncate'), { maxLength: 25 }),
        fc.boolean(),
        async (steps, takes) => {
          const written: string[] = [];
          await rm(dir, { recursive: true, force: true });
          dir = await mkdtemp(join(tmpdir(), 'access-log-'));
          path = join(dir, 'usage.log');
          sink = new CapturedUsage();
          sink.takesBeforeFailing = takes;
          await restart();
          const poll = (): Promise<void> => reader.poll().catch(() => undefined);
          // The first poll decides what was there before.
          await poll();
          for (const [at, step] of steps.entries()) {
            if (step === 'write') {
              written.push(String(at));
              await write(String(at));
            }
            if (step === 'poll') await poll();
            if (step === 'fail') {
              sink.failing = 1;
              await poll();
            }
            if (step === 'die') await restart();
            if (step === 'rename') await rename(path, `${path}-${at}`).catch(() => undefined);
            if (step === 'truncate') {
              await copyFile(path, `${path}-${at}`).then(
                () => truncate(path),
                () => undefined,
              );
            }
          }
          sink.failing = 0;
          await poll();
          expect(new Set(sink.ids)).toEqual(new Set(written));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('with its position lost reads everything again', async () => {
    await write('1');
    await reader.poll();
    await rename(path, `${path}.1`);
    await write('2');
    await reader.poll();
    const [position] = await readdir(join(dir, 'state'));
    await writeFile(join(dir, 'state', position ?? ''), '');
    await restart();
    await reader.poll();
    expect(sink.ids).toEqual(['1', '2', '1', '2']);
  });
});
