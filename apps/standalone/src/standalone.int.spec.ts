import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@tallygate/infra-local';
import { formatAmount } from '@tallygate/kernel';
import {
  EmbeddedStack,
  LiveTenant,
  PRICE_NANO,
  Session,
  callHttp,
  cloudEvent,
  inParallel,
} from '@tallygate/testing';
import { StandaloneProcess, runs } from './standalone-process';

const INTERNAL_SECRET = 'internal-secret-of-a-local-stack';
const ROOT_KEY = 'root-key-of-a-local-stack';
const CRASHES = 3;
const EVENTS_A_ROUND = 150;
const ACKNOWLEDGED_BEFORE_THE_CRASH = 60;
const AT_ONCE = 16;
const SETTLE_MS = 20_000;

interface Sent {
  readonly id: string;
  readonly tokens: number;
}

let dataDir: string;
let port: number;
let gatePort: number;
let stack: EmbeddedStack | null = null;
let tenant: LiveTenant;
/** Ids that were answered 2xx, over all rounds. */
const acknowledged = new Set<string>();
const sent: Sent[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tallygate-standalone-'));
  port = await freePort();
  gatePort = await freePort();
});
afterAll(async () => {
  await stack?.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** Always on the same data, behind the same addresses. */
async function start(): Promise<EmbeddedStack> {
  stack = await EmbeddedStack.start({ dataDir, port, gatePort });
  return stack;
}

/** SIGKILL to the process alone, or to all of its tree at the same moment, as when the machine loses power. */
async function crash(running: EmbeddedStack, what: 'process' | 'tree'): Promise<void> {
  if (what === 'process') process.kill(running.process.pid, 'SIGKILL');
  else await running.process.kill();
  await running.close();
  stack = null;
}

/** Asks until the answer is as wanted: the answer after which nothing may change any more. */
async function eventually<T>(ask: () => Promise<T>, isWanted: (found: T) => boolean): Promise<T> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const found = await ask();
    if (isWanted(found) || performance.now() > deadline) return found;
    await pause(50);
  }
}

const eventOf = ({ id, tokens }: Sent): object => ({
  ...cloudEvent({ source: 'crash', id, subject: 'acme', tokens, time: '2026-01-01T00:00:00Z' }),
  time: undefined,
  data: { tokens: String(tokens), model: id },
});

/** @returns whether it was answered 2xx; no answer is no acknowledgement */
async function send(event: Sent): Promise<boolean> {
  const answer = await tenant.sendUsage(eventOf(event)).catch(() => null);
  if (answer === null || answer.status >= 300) return false;
  acknowledged.add(event.id);
  return true;
}

/** Many at once, until the process dies in the middle of it. */
async function sendUntilCrash(running: EmbeddedStack, round: number): Promise<void> {
  const events = Array.from({ length: EVENTS_A_ROUND }, (_, index) => ({
    id: `r${round}-${index}`,
    tokens: index + 1,
  }));
  sent.push(...events);
  const before = acknowledged.size;
  let crashing: Promise<void> | null = null;
  await inParallel(events, AT_ONCE, async (event) => {
    await send(event);
    if (acknowledged.size - before >= ACKNOWLEDGED_BEFORE_THE_CRASH)
      crashing ??= crash(running, round === CRASHES ? 'tree' : 'process');
  });
  await crashing;
  expect(acknowledged.size - before).toBeGreaterThanOrEqual(ACKNOWLEDGED_BEFORE_THE_CRASH);
  expect(acknowledged.size - before).toBeLessThan(EVENTS_A_ROUND);
}

/** What each event counts for, by its id. */
async function usageById(): Promise<ReadonlyMap<string, number>> {
  const answer = await tenant.call('ledger', '/v1/usage?customer=acme&meter=tokens&group_by=model');
  const rows = (answer.body?.['rows'] ?? []) as { group: { model: string }; value: string }[];
  return new Map(
    rows.filter(({ value }) => value !== '0').map((row) => [row.group.model, Number(row.value)]),
  );
}

async function wallet(): Promise<unknown> {
  return (await tenant.call('ledger', '/v1/customers/acme/wallets/USD')).body?.['available'];
}

/** Status and reason of a request at the gate. */
async function decision(credential: string): Promise<string> {
  const headers = {
    authorization: `Bearer ${credential}`,
    'x-tallygate-tenant': tenant.id,
    'x-tallygate-feature': 'completions',
  };
  const answer = await callHttp(`http://127.0.0.1:${gatePort}/authorize`, { headers });
  return `${answer.status} ${answer.headers['billing-gate-reason']}`;
}
const decisions = async (): Promise<readonly string[]> =>
  Promise.all(['key-of-acme', 'key-of-poor', 'key-of-nobody'].map(decision));
const DECISIONS = ['200 ok', '402 credit_exhausted', '401 credential_unknown'];

test('every problem of a configuration is named at once, and it ends with 2', async () => {
  const broken = new StandaloneProcess({
    DATA_DIR: join(dataDir, 'never'),
    PORT: 'abc',
    SMTP_URL: 'nonsense',
    PROXY_ROUTES: 'not json',
  });
  const { code, stderr } = await broken.exit();
  expect(code).toBe(2);
  expect(stderr.split('\n').filter((line) => line.startsWith('  '))).toEqual([
    expect.stringMatching(/^ {2}PORT: .*"abc".*Fix: /),
    expect.stringMatching(/^ {2}SMTP_URL: .*"nonsense".*Fix: /),
    expect.stringMatching(/^ {2}PROXY_ROUTES: .*"not json".*Fix: /),
  ]);
});

test('kill -9 under load loses nothing that was acknowledged, and counts nothing twice', async () => {
  tenant = await LiveTenant.open(await start(), 'crashes');
  await tenant.createCustomers([
    { key: 'acme', apiKey: 'key-of-acme', plan: 'poor' },
    { key: 'poor', apiKey: 'key-of-poor', plan: 'poor' },
  ]);
  await tenant.grant('acme', '1000', 'welcome');
  for (let round = 1; round <= CRASHES; round += 1) {
    await sendUntilCrash(stack!, round);
    await start();
  }

  const kept = await eventually(usageById, (found) => [...acknowledged].every((id) => found.has(id)));
  const tokensOf = new Map(sent.map(({ id, tokens }) => [id, tokens]));
  for (const id of acknowledged) expect([id, kept.get(id)]).toEqual([id, tokensOf.get(id)]);

  const unanswered = sent.filter(({ id }) => !acknowledged.has(id));
  const again = [...unanswered, ...sent.slice(0, ACKNOWLEDGED_BEFORE_THE_CRASH)];
  expect(await inParallel(again, AT_ONCE, send)).not.toContain(false);
  expect(await eventually(usageById, ({ size }) => size === sent.length)).toEqual(tokensOf);

  const spent = sent.reduce((sum, { tokens }) => sum + BigInt(tokens) * PRICE_NANO, 0n);
  const left = formatAmount(1_000n * 1_000_000_000n - spent);
  expect(await eventually(wallet, (found) => found === left)).toBe(left);
  expect((await tenant.call('ledger', '/v1/journal')).body).toMatchObject({
    balanced: true,
    chain: 'valid',
  });
  expect((await tenant.call('ingestion', '/v1/dead-letters')).body).toEqual({ dead_letters: [] });
}, 240_000);

test('a feed lost for too long is 503 entitlement_stale, never 402, and passes when it is back', async () => {
  const session = await Session.open(stack!, {
    scenario: 'outage',
    clock: '2026-03-01T00:00:00Z',
    timezone: 'UTC',
    currency: 'USD',
  } as never);
  const catalog = {
    features: [{ key: 'api', kind: 'boolean' }],
    plans: [{ key: 'on', features: { api: {} } }],
  };
  await session.change('billing', 'PUT', '/v1/catalog', catalog);
  await session.createCustomer({ key: 'in', plan: 'on', api_keys: ['key-of-in'] } as never);
  await session.createCustomer({ key: 'out', api_keys: ['key-of-out'] } as never);
  const ask = async (credential: string): Promise<string> => {
    const headers = {
      authorization: `Bearer ${credential}`,
      'x-tallygate-tenant': session.tenantId,
      'x-tallygate-feature': 'api',
    };
    const answer = await callHttp(`${stack!.agentUrl}/authorize`, { headers });
    return `${answer.status} ${answer.headers['billing-gate-reason']}`;
  };
  const both = async (at: string): Promise<readonly string[]> => {
    session.dirty = true;
    await session.settle(session.moment(at) === undefined ? undefined : ((Date.parse(at) * 1_000) as never));
    return [await ask('key-of-in'), await ask('key-of-out')];
  };

  expect(await both('2026-03-01T00:00:00Z')).toEqual(['200 ok', '402 subscription_required']);
  await stack!.service('cut', 'gate');
  expect(await both('2026-03-01T00:01:00Z')).toEqual(['200 stale_allow', '402 subscription_required']);
  expect(await both('2026-03-01T00:01:01Z')).toEqual(['503 entitlement_stale', '503 entitlement_stale']);
  await stack!.service('join', 'gate');
  expect(await both('2026-03-01T00:01:01Z')).toEqual(['200 ok', '402 subscription_required']);
});

test('a restart keeps tenants, keys and decisions; SIGTERM ends with 0 and leaves no process', async () => {
  expect(await eventually(decisions, (found) => found[0] === '200 ok')).toEqual(DECISIONS);
  await stack!.close();
  stack = null;

  const restarted = new StandaloneProcess({
    DATA_DIR: dataDir,
    PORT: String(port),
    GATE_PORT: String(gatePort),
    SANDBOX_PORT: String(await freePort()),
    PROXY_PORT: String(await freePort()),
    ROOT_KEY,
    INTERNAL_SECRET,
    LOG_LEVEL: 'warn',
  });
  await restarted.ready(`http://127.0.0.1:${port}/readyz`);
  expect(await decisions()).toEqual(DECISIONS);
  expect((await tenant.call('billing', '/v1/customers/acme')).body).toMatchObject({ key: 'acme' });
  expect((await usageById()).size).toBe(sent.length);

  const below = restarted.below();
  expect([...below.values()].sort()).toEqual(expect.arrayContaining(['node', 'postgres']));
  restarted.signal('SIGTERM');
  expect(await restarted.exit()).toEqual({ code: 0, stderr: '' });
  expect([...below].filter(([pid]) => runs(pid))).toEqual([]);
}, 240_000);
