import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packUsage, TOPICS } from '@tallygate/contracts';
import { startPostgres, waitUntil } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { createTestDatabase, InProcessEventBus } from '@tallygate/platform';
import type { TestDatabase } from '@tallygate/platform';
import { Client } from 'pg';
import { ledgerProvisioning } from '../provisioning';
import { RunningLedger } from '../testing/running-ledger';
import { usageEvent } from '../testing/sample';

const PATIENCE_MS = 60_000;
const SMALL = { max_connections: '30', min_wal_size: '32MB', max_wal_size: '64MB' };

let server: PostgresServer;
let test: TestDatabase;
let bus: InProcessEventBus;
let ledger: RunningLedger;
let customer: { readonly id: string; readonly key: string };

async function begin(dataDir?: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  server = await startPostgres({ dataDir, settings });
  test = await createTestDatabase(server, [ledgerProvisioning]);
  bus = new InProcessEventBus();
  ledger = await RunningLedger.start(bus, test);
  customer = await ledger.introduce();
}

const folders: string[] = [];

function makeFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), name));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await ledger.close();
  await bus.close();
  await server.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const use = (...ids: string[]): Promise<void> => {
  const of = { tenantId: ledger.tenantId, customerId: customer.id };
  const events = ids.map((id) => usageEvent(of, { id, tokens: '500' }));
  const value = packUsage(ledger.tenantId, events);
  return bus.publish(TOPICS.usageMetered, [
    { key: customer.id, value, headers: { tenant: ledger.tenantId } },
  ]);
};

async function books(): Promise<Record<string, unknown>> {
  const client = new Client({ connectionString: test.url, options: '-c search_path=ledger' });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(
    `select (select count(*)::int from usage_event) as events, (select count(distinct event_id)::int from usage_event) as ids,
            (select count(*)::int from credit_grant) as grants`,
  );
  await client.end();
  const { balanced, chain } = (await ledger.call('GET', '/v1/journal')).body;
  return { ...rows[0], balanced, chain };
}

describe('a database that fails', () => {
  it('is killed again and again in the middle of slices: nothing is lost and nothing counts twice', async () => {
    const dataDir = makeFolder('tallygate-killed-');
    await begin(dataDir);
    const { port } = server;
    const slices = Array.from({ length: 40 }, (_, slice) =>
      Array.from({ length: 200 }, (__, i) => `e-${slice}-${i}`),
    );
    let taken = 0;
    const sending = (async () => {
      for (const slice of slices)
        taken += (await waitUntil(() => use(...slice).then(() => true), PATIENCE_MS)) ? 1 : 0;
    })();
    for (const after of [8, 16, 24]) {
      await waitUntil(() => taken >= after, PATIENCE_MS);
      await server.kill();
      server = await startPostgres({ dataDir, port });
    }
    await sending;
    expect(await books()).toEqual({ events: 8_000, ids: 8_000, grants: 0, balanced: true, chain: 'valid' });
    await server.kill();
    server = await startPostgres({ dataDir, port });
  });

  it('has no connection left: requests are refused, to be sent again, and then served', async () => {
    await begin(undefined, SMALL);
    await ledger.grant(customer.key, 'before');
    const hoarded: Client[] = [];
    const admin = new Client({ connectionString: server.url() });
    await admin.connect();
    // Idle connections of the ledger would serve: they are ended, and their places taken.
    for (;;) {
      const client = new Client({ connectionString: server.url() });
      client.on('error', () => undefined);
      const connected = await client.connect().then(
        () => true,
        () => false,
      );
      if (connected) hoarded.push(client);
      const { rowCount } = await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename like 'tallygate\\_%'`,
      );
      if (!connected && rowCount === 0) break;
    }
    const refused = await ledger.grant(customer.key, 'during');
    expect(refused).toMatchObject({ status: 503, body: { code: 'storage_unavailable', retryable: true } });
    await Promise.all(hoarded.map((client) => client.end()));
    await admin.end();
    const served = async () => (await ledger.grant(customer.key, 'during')).status === 201;
    expect(await waitUntil(served, PATIENCE_MS)).toBe(true);
    expect(await books()).toMatchObject({ grants: 2, balanced: true, chain: 'valid' });
  });

  it('has a full disk: requests are refused, what was answered is there, and it goes on when there is room', async () => {
    const mount = smallDisk();
    if (mount === null) {
      await begin();
      console.warn('not shown here: a full disk needs root and tmpfs');
      return;
    }
    try {
      await begin(join(mount, 'data'), SMALL);
      let granted = (await ledger.grant(customer.key, 'g')).status === 201 ? 1 : 0;
      const ballast = fill(mount);
      let refusal: Awaited<ReturnType<typeof ledger.grant>> | null = null;
      for (let i = 0; i < 5_000 && refusal === null; i += 1) {
        const reply = await ledger.grant(customer.key, `g-${i}`);
        if (reply.status === 201) granted += 1;
        else refusal = reply;
      }
      expect(refusal).toMatchObject({ status: 503, body: { retryable: true } });
      expect(refusal?.body['code']).toMatch(/^storage_(full|unavailable)$/);
      unlinkSync(ballast);
      const served = async () => (await ledger.grant(customer.key, 'again')).status === 201;
      expect(await waitUntil(served, PATIENCE_MS)).toBe(true);
      expect(await books()).toMatchObject({ grants: granted + 1, balanced: true, chain: 'valid' });
    } finally {
      await server.kill();
      execFileSync('umount', ['-l', mount]);
    }
  });
});

/** A disk of its own that is full soon; null where this process may not mount one. */
function smallDisk(): string | null {
  if (process.getuid?.() !== 0) return null;
  const mount = makeFolder('tallygate-disk-');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m,mode=755', 'tmpfs', mount], { stdio: 'ignore' });
    return mount;
  } catch {
    return null;
  }
}

/** @returns the file that takes all the room there is */
function fill(mount: string): string {
  const file = join(mount, 'ballast');
  const handle = openSync(file, 'w');
  const block = Buffer.alloc(64 * 1024, 1);
  try {
    for (;;) writeSync(handle, block);
  } catch {
    closeSync(handle);
    return file;
  }
}
