import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startOwner } from '../test/owner';
import { DataDirInUseError, ServerStartError } from './errors';
import { freePort } from './free-port';
import { startPostgres, type PostgresServer } from './postgres';
import { descendants, isAlive } from './process-table';

async function query(url: string, sql: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<string[]>({ text: sql, rowMode: 'array' });
    return rows.map((row) => row.join('|'));
  } finally {
    await client.end();
  }
}

describe('PostgreSQL', () => {
  it('is version 18, UTF-8, UTC and durable, and takes settings', async () => {
    const server = await startPostgres({ settings: { work_mem: '9MB' } });
    const settings = ['server_version_num', 'server_encoding', 'timezone', 'fsync', 'work_mem'];
    const rows = await query(
      server.url(),
      `select ${settings.map((name) => `current_setting('${name}')`).join(', ')}`,
    );
    expect(rows).toEqual([expect.stringMatching(/^18\d{4}\|UTF8\|UTC\|on\|9MB$/)]);
    await server.stop();
  });

  it('orders text by code point and changes the case of any letter', async () => {
    const server = await startPostgres({ settings: { fsync: 'off' } });
    expect(await query(server.url(), `select upper('é')`)).toEqual(['É']);
    expect(await query(server.url(), `select x from unnest('{b,a,B,é}'::text[]) x order by x`)).toEqual([
      'B',
      'a',
      'b',
      'é',
    ]);
    await server.stop();
  });

  it('lets nobody in without the password', async () => {
    const server = await startPostgres({ settings: { fsync: 'off' } });
    const stranger = server.url().replace(server.password, 'guess');
    await expect(query(stranger, 'select 1')).rejects.toThrow('password authentication failed');
    await server.stop();
  });

  it('gives the url of another database', async () => {
    const server = await startPostgres({ settings: { fsync: 'off' } });
    await query(server.url(), 'create database "a b"');
    expect(await query(server.url('a b'), 'select current_database()')).toEqual(['a b']);
    await server.stop();
  });

  it('runs several at a time', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => startPostgres({ settings: { fsync: 'off' } })));
    expect(new Set(servers.map(({ port }) => port)).size).toBe(3);
    await Promise.all(servers.map((server) => server.stop()));
  });

  it('shows the end of its log when it cannot start', async () => {
    const start = startPostgres({ settings: { shared_buffers: 'plenty' } });
    await expect(start).rejects.toThrow(ServerStartError);
    await expect(start).rejects.toThrow(/postgres ended with code 1 before it was ready[^]*shared_buffers/);
  });
});

describe('PostgreSQL with a data folder', () => {
  let dataDir: string;
  let servers: PostgresServer[];

  beforeEach(async () => {
    dataDir = join(await mkdtemp(join(tmpdir(), 'tallygate-data-')), 'nested', 'data');
    servers = [];
    await chmod(join(dataDir, '..', '..'), 0o755);
  });

  afterEach(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(join(dataDir, '..', '..'), { recursive: true, force: true });
  });

  const start = async (): Promise<PostgresServer> => {
    const server = await startPostgres({ dataDir });
    servers.push(server);
    return server;
  };

  /** One more committed row; returns how many there are. */
  const addRow = async (url: string): Promise<number> => {
    await query(url, 'create table if not exists kept (n int)');
    await query(url, 'insert into kept values (1)');
    return Number((await query(url, 'select count(*) from kept'))[0]);
  };

  it('keeps data and password over stop and start', async () => {
    const first = await start();
    expect(await addRow(first.url())).toBe(1);
    await first.stop();
    const second = await start();
    expect(second.password).toBe(first.password);
    expect(await addRow(second.url())).toBe(2);
  });

  it('keeps committed rows over kill -9 of the server', async () => {
    const first = await start();
    await addRow(first.url());
    await first.kill();
    expect(await addRow((await start()).url())).toBe(2);
  });

  it('is taken over after kill -9 of the owner', async () => {
    const owner = await startOwner('startPostgres', { dataDir });
    await addRow(owner.url);
    await owner.kill();
    expect(await addRow((await start()).url())).toBe(2);
    expect(owner.pids.filter(isAlive)).toEqual([]);
    await owner.dispose();
  });

  it('is taken over when the supervisor was killed too and the server still runs, busy with a query', async () => {
    const owner = await startOwner('startPostgres', { dataDir });
    await addRow(owner.url);
    const client = new Client(owner.url);
    client.on('error', () => undefined);
    await client.connect();
    const endless = client
      .query('select count(*) from generate_series(1, 10000000000)')
      .catch(() => 'broken');
    const supervisors = descendants(owner.process.pid ?? 0).filter((pid) => pid !== owner.serverPid);
    const server = new Set([owner.serverPid, ...descendants(owner.serverPid)]);
    // The watching half first: it would end the server as soon as the other half is gone.
    for (const pid of supervisors.filter((each) => !server.has(each)).reverse()) process.kill(pid, 'SIGKILL');
    await owner.kill();
    expect(isAlive(owner.serverPid)).toBe(true);

    expect(await addRow((await start()).url())).toBe(2);
    expect([...server].filter(isAlive)).toEqual([]);
    expect(await endless).toBe('broken');
    await client.end();
    await owner.dispose();
  });

  it('is taken over when the lock file names a process that is something else by now', async () => {
    const first = await start();
    await addRow(first.url());
    await first.kill();
    const lock = join(dataDir, 'pgdata', 'postmaster.pid');
    await writeFile(lock, (await readFile(lock, 'utf8')).replace(/^\d+/, String(process.pid)));
    expect(await addRow((await start()).url())).toBe(2);
    expect(isAlive(process.pid)).toBe(true);
  });

  it('is refused while its owner lives', async () => {
    const owner = await startOwner('startPostgres', { dataDir });
    await expect(startPostgres({ dataDir })).rejects.toThrow(DataDirInUseError);
    await expect(startPostgres({ dataDir })).rejects.toThrow(
      `process ${owner.process.pid} runs a server on it`,
    );
    expect(await addRow(owner.url)).toBe(1);
    await owner.dispose();
  });

  it('is refused to a second start in the same process, and of many at once one gets it', async () => {
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(start));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as Error).name)).toEqual(Array(3).fill('DataDirInUseError'));
    expect(await addRow(servers[0]?.url() ?? '')).toBe(1);
  });

  it('is not given away by a second stop of the server before', async () => {
    const first = await start();
    await first.stop();
    await start();
    await first.stop();
    await expect(startPostgres({ dataDir })).rejects.toThrow(DataDirInUseError);
  });

  it('is free again after a start that failed', async () => {
    await expect(startPostgres({ dataDir, settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      ServerStartError,
    );
    expect(await addRow((await start()).url())).toBe(1);
  });

  it('starts again on the port it had', async () => {
    const port = await freePort();
    for (const expected of [1, 2]) {
      const server = await startPostgres({ dataDir, port });
      servers.push(server);
      expect(server.port).toBe(port);
      expect(await addRow(server.url())).toBe(expected);
      await server.kill();
    }
  });

  it('may lie in a private temporary folder', async () => {
    await chmod(join(dataDir, '..', '..'), 0o700);
    expect(await addRow((await start()).url())).toBe(1);
  });

  it('has nothing in it that a crash left half copied', async () => {
    const first = await start();
    await first.stop();
    expect(existsSync(join(dataDir, 'pgdata.new'))).toBe(false);
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false);
  });
});

it('a stopped server is gone also when its supervisor was killed', async () => {
  const server = await startPostgres({ settings: { fsync: 'off' } });
  const supervisor = descendants(process.pid).filter((pid) => descendants(pid).includes(server.pid));
  for (const pid of supervisor) process.kill(pid, 'SIGKILL');
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
});
