import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Body, Controller, Delete, Get, Inject, Module, Post } from '@nestjs/common';
import { formatInstant, instant, MICROS, parseInstant, addMicros } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import { z } from 'zod';
import { generateApiKey, hashApiKey } from '../auth/api-key';
import { CurrentPrincipal, Public, RequireScope, RootOnly } from '../auth/api-key-guard';
import { HttpKeyDirectory } from '../auth/http-key-directory';
import { KeyDirectory } from '../auth/principal';
import type { Principal } from '../auth/principal';
import { EventBus } from '../bus/event-bus';
import { InProcessEventBus } from '../bus/in-process-event-bus';
import { IdempotencyKey } from '../http/idempotency';
import { problem } from '../http/problem';
import { ZodBody } from '../http/zod-faults';
import { Database } from '../postgres/database';
import { instantFromPg, pgInstant } from '../postgres/instant-codec';
import { sqlMigration } from '../postgres/migration';
import { BullJobQueue } from '../queue/bull-job-queue';
import { provisionQueue } from '../queue/provision-queue';
import { createLog } from '../telemetry/log';
import { createTestDatabase } from '../testing';
import type { TestDatabase } from '../testing';
import type { Sweeper } from '../time/tenant-time';
import { createService } from './create-service';
import type { RunningService } from './create-service';
import { PlatformModule } from './platform-module';
import { createServiceContext } from './service-context';
import type { ServiceContext } from './service-context';

const TENANT = '00000000-0000-7000-8000-000000000001';
const INTERNAL_SECRET = 'internal-secret-of-the-spec';
const ROOT_KEY = 'root-key-of-the-installation';
const KEY = generateApiKey('test');
const READ_ONLY = generateApiKey('live');
const T0 = instant(1_800_000_000_000_000);

const principals = new Map<string, Principal>([
  [hashApiKey(KEY), { tenantId: TENANT, mode: 'test', keyId: 'k1', scopes: ['write'] }],
  [hashApiKey(READ_ONLY), { tenantId: TENANT, mode: 'live', keyId: 'k2', scopes: ['read'] }],
]);
class Keys extends KeyDirectory {
  override async find(hash: string): Promise<Principal | null> {
    return principals.get(hash) ?? null;
  }
}

const body = z.strictObject({
  name: z.string().min(1),
  amount: z.string().regex(/^\d+$/, 'is not whole'),
  tags: z.array(z.enum(['a', 'b'])).optional(),
});

@Controller('v1')
class ProbeController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(EventBus) private readonly bus: EventBus,
  ) {}

  @Get('me')
  me(@CurrentPrincipal() principal: Principal) {
    return { ...principal, schema: this.database.schema, bus: this.bus.constructor.name };
  }

  @Post('things')
  create(@Body(new ZodBody(body)) given: z.infer<typeof body>) {
    return given;
  }

  @Post('keyed')
  keyed(@IdempotencyKey() key: string) {
    return { key };
  }

  @Delete('admin')
  @RequireScope('admin')
  admin() {
    return {};
  }

  @Get('open')
  @Public()
  open() {
    return { open: true };
  }

  @Post('tenants')
  @RootOnly()
  tenants() {
    return { created: true };
  }

  @Get('broken')
  broken() {
    throw new Error('password=hunter2');
  }

  @Get('refused')
  refused() {
    throw problem(409, 'hold_resolved', 'The hold is resolved', { hold: 'h1' });
  }
}

@Module({})
class ProbeModule {}

let server: PostgresServer;
let target: TestDatabase;
let queue: BullJobQueue;
let bus: InProcessEventBus;
let ledger: ServiceContext;
let notifier: ServiceContext;
let service: RunningService;
let portFile: string;
const logged: string[] = [];
const effects: string[] = [];

const dueTable = sqlMigration(
  'Due',
  1_700_000_000_001,
  'create table due (tenant_id uuid not null, id text not null, due_at timestamptz not null, done boolean not null default false, primary key (tenant_id, id))',
);

/** A schedule as rows: what is due goes to the queue, whose handler marks it and tells the other service. */
function dueSweeper(context: ServiceContext): Sweeper {
  return {
    name: 'due things',
    sweep: (scope, systemNow) =>
      context.database.asWorker(async (tx) => {
        const { rows } = await tx.query<{ id: string; tenant_id: string }>(
          `select d.id, d.tenant_id from due d
            where not d.done and ($1::uuid is null or d.tenant_id = $1)
              and d.due_at <= coalesce((select c.now from tenant_clock c where c.tenant_id = d.tenant_id), $2)`,
          [scope, pgInstant(systemNow)],
        );
        await context.queue.add(
          'due',
          rows.map((row) => ({ id: row.id, tenantId: row.tenant_id, payload: null })),
        );
        return rows.length;
      }),
    nextDue: (tenantId, after) =>
      context.database.asWorker(async (tx) => {
        const { rows } = await tx.query<{ at: string | null }>(
          'select min(due_at) as at from due where tenant_id = $1 and due_at > $2 and not done',
          [tenantId, pgInstant(after)],
        );
        const at = rows[0]?.at;
        return at === null || at === undefined ? null : instantFromPg(at);
      }),
  };
}

async function handleDue(context: ServiceContext, id: string, tenantId: string): Promise<void> {
  await context.database.asTenant(tenantId, async (tx) => {
    await tx.query('update due set done = true where id = $1', [id]);
    await context.outbox.add(tx, [{ tenantId, topic: 'ledger.events', key: id, value: Buffer.from(id) }]);
  });
}

beforeAll(async () => {
  server = await startPostgres();
  target = await createTestDatabase(
    server,
    [
      { schema: 'ledger', migrations: [dueTable] },
      { schema: 'notifier', migrations: [] },
    ],
    {
      name: 'bullmq',
      run: (ownerUrl, roleSecret) => provisionQueue({ ownerUrl, roleSecret }),
    },
  );
  bus = new InProcessEventBus();
  queue = new BullJobQueue({
    backend: { kind: 'postgres', databaseUrl: target.url, roleSecret: target.roleSecret },
  });
  const shared = {
    database: { url: target.url, roleSecret: target.roleSecret, provision: true },
    bus,
    queue,
  };
  ledger = await createServiceContext({ ...shared, name: 'ledger', migrations: [dueTable] });
  notifier = await createServiceContext({ ...shared, name: 'notifier', migrations: [] });
  ledger.addSweeper(dueSweeper(ledger));
  await ledger.queue.work({
    queue: 'due',
    concurrency: 2,
    handle: ({ id, tenantId }) => handleDue(ledger, id, tenantId),
  });
  await notifier.subscribe({
    topics: ['ledger.events'],
    group: 'notifier',
    handle: async ({ messages }) => void effects.push(...messages.map((one) => one.value.toString())),
  });
  const folder = await mkdtemp(join(tmpdir(), 'tallygate-'));
  portFile = join(folder, 'port');
  const destination = { write: (line: string) => void logged.push(line) };
  service = await createService(
    { module: ProbeModule, imports: [PlatformModule.forService(ledger)], controllers: [ProbeController] },
    {
      name: 'probe',
      config: { PORT: 0, PORT_FILE: portFile, INTERNAL_SECRET, ROOT_KEY },
      contexts: [ledger, notifier],
      keyDirectory: new Keys(),
      log: createLog({ name: 'probe', destination }),
      metrics: ledger.metrics,
      handleSignals: false,
      closeLast: [() => queue.close(), () => bus.close()],
      checks: [
        {
          name: 'bus',
          where: 'localhost:9092',
          start: 'start Kafka',
          check: async () => {
            if (busDown) throw new Error('connection refused');
          },
        },
      ],
    },
  );
});

let busDown = false;

afterAll(async () => {
  await service?.close();
  await server?.stop();
  if (portFile !== undefined) await rm(join(portFile, '..'), { recursive: true });
});

async function call(
  method: string,
  path: string,
  options: { body?: string | Buffer; headers?: Record<string, string>; key?: string | null } = {},
) {
  const { key = KEY } = options;
  const response = await fetch(`${service.url}${path}`, {
    method,
    body: options.body as string | undefined,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    text,
    json: (text.startsWith('{') ? JSON.parse(text) : null) as Record<string, unknown> | null,
  };
}

describe('a service', () => {
  it('ends although a client keeps a connection open that it never used', async () => {
    const closing = await createService(
      { module: ProbeModule, imports: [PlatformModule.forService(ledger)], controllers: [ProbeController] },
      {
        name: 'closing',
        config: { PORT: 0, INTERNAL_SECRET, ROOT_KEY },
        contexts: [],
        keyDirectory: new Keys(),
        log: createLog({ name: 'closing', destination: { write: () => undefined } }),
        handleSignals: false,
      },
    );
    const unused = connect(closing.port, '127.0.0.1');
    await once(unused, 'connect');
    await closing.close();
    await once(unused.resume(), 'close');
  }, 30_000);

  it('tells its port in a file and in one line of the log', async () => {
    expect(await readFile(portFile, 'utf8')).toBe(String(service.port));
    expect(
      logged
        .filter((line) => line.includes('"listening"'))
        .map((line) => (JSON.parse(line) as { port: number }).port),
    ).toEqual([service.port]);
  });

  it('gives each module its own database and the shared bus', async () => {
    expect((await call('GET', '/v1/me')).json).toMatchObject({
      tenantId: TENANT,
      schema: 'ledger',
      bus: 'InProcessEventBus',
    });
  });

  it('is live, and ready while everything is there', async () => {
    expect((await call('GET', '/healthz', { key: null })).json).toEqual({ status: 'live' });
    expect((await call('GET', '/readyz', { key: null })).json).toEqual({ status: 'ready' });
  });

  it('names what is missing, where it looked and how to start it', async () => {
    busDown = true;
    const answer = await call('GET', '/readyz', { key: null });
    busDown = false;
    expect(answer).toMatchObject({
      status: 503,
      json: {
        code: 'not_ready',
        missing: [
          { name: 'bus', where: 'localhost:9092', start: 'start Kafka', problem: 'connection refused' },
        ],
      },
    });
  });

  it('shows its metrics, the outbox of each service among them', async () => {
    const { text, type } = await call('GET', '/metrics', { key: null });
    expect(type).toContain('text/plain');
    expect(text).toContain('tallygate_outbox_depth{service="ledger"} 0');
  });
});

describe('credentials', () => {
  it.each([
    ['no key', null, {}, 401, 'credential_missing'],
    ['an empty key', null, { 'x-api-key': '' }, 401, 'credential_missing'],
    ['another scheme', null, { authorization: 'Basic abc' }, 401, 'credential_missing'],
    ['what is no key', 'nonsense', {}, 401, 'credential_unknown'],
    ['a key nobody issued', generateApiKey('live'), {}, 401, 'credential_unknown'],
  ])('refuses %s', async (_, key, headers, status, code) => {
    expect(await call('GET', '/v1/me', { key, headers })).toMatchObject({ status, json: { code, status } });
  });

  it('takes the key from either header', async () => {
    expect((await call('GET', '/v1/me', { key: null, headers: { 'x-api-key': KEY } })).status).toBe(200);
  });

  it.each([
    ['GET', '/v1/me', READ_ONLY, 200],
    ['POST', '/v1/keyed', READ_ONLY, 403],
    ['DELETE', '/v1/admin', KEY, 403],
    ['GET', '/v1/open', null, 200],
    ['POST', '/v1/tenants', KEY, 403],
    ['POST', '/v1/tenants', ROOT_KEY, 201],
  ])('%s %s with %#: %s gives %d', async (method, path, key, status) => {
    expect((await call(method, path, { key })).status).toBe(status);
  });

  it('answers 503, not 401, when the owner of the keys cannot be asked', async () => {
    const directory = new HttpKeyDirectory({
      billingUrl: 'http://127.0.0.1:1',
      internalSecret: INTERNAL_SECRET,
    });
    await expect(directory.find('hash')).rejects.toMatchObject({
      problem: { status: 503, code: 'key_directory_unavailable' },
    });
  });
});

describe('problems', () => {
  const json = { 'content-type': 'application/json' };

  it.each<[string, { body: string | Buffer; headers?: Record<string, string> }, number, string]>([
    ['a body that is not JSON', { body: '{"name":' }, 400, 'not_json'],
    ['a body that is not UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'not_utf8'],
    [
      'a body above 1 MiB',
      { body: JSON.stringify({ name: 'x'.repeat(1024 * 1024) }) },
      413,
      'body_too_large',
    ],
    [
      'another content type',
      { body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
    ],
  ])('refuses %s', async (_, options, status, code) => {
    expect(
      await call('POST', '/v1/things', { ...options, headers: { ...json, ...options.headers } }),
    ).toMatchObject({
      status,
      type: expect.stringContaining('application/problem+json'),
      json: { status, code },
    });
  });

  it('names the limit of a body', async () => {
    const { json: answer } = await call('POST', '/v1/things', {
      body: JSON.stringify('x'.repeat(1024 * 1024)),
    });
    expect(answer).toMatchObject({ limit_bytes: 1_048_576, detail: expect.stringContaining('1 MiB') });
  });

  it('names every fault of a body, with what was sent and what to send', async () => {
    const { status, json: answer } = await call('POST', '/v1/things', {
      body: JSON.stringify({ name: '', amount: '1.5', tags: ['a', 'c'], colour: 'red' }),
    });
    expect(status).toBe(422);
    expect(answer).toMatchObject({
      code: 'invalid_request',
      faults: expect.arrayContaining([
        { field: 'name', value: '', problem: expect.any(String), fix: 'use at least 1' },
        { field: 'amount', value: '1.5', problem: 'is not whole', fix: expect.any(String) },
        { field: 'tags[1]', value: 'c', problem: expect.any(String), fix: 'use one of a, b' },
        { field: 'colour', value: 'red', problem: 'is not a known field', fix: expect.any(String) },
      ]),
    });
  });

  it.each([
    ['U+0000', '{"name":"a\\u0000b","amount":"1"}'],
    ['half of a surrogate pair', '{"name":"\\ud800","amount":"1"}'],
    ['nesting that no code should walk', `{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('refuses %s in a body', async (_, body) => {
    expect(await call('POST', '/v1/things', { body })).toMatchObject({
      status: 422,
      json: { code: 'invalid_request', faults: [{ field: expect.stringContaining('name') }] },
    });
  });

  it.each([
    ['what is no percent-encoding', '/v1/%zz'],
    ['U+0000', '/v1/me?at=%00'],
  ])('refuses an address with %s', async (_, path) => {
    expect(await call('GET', path)).toMatchObject({
      status: 400,
      type: expect.stringContaining('application/problem+json'),
      json: { code: 'malformed_request' },
    });
  });

  it('names the methods of a path that has others', async () => {
    const answer = await fetch(`${service.url}/v1/things?x=1`, { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await answer.json()).toMatchObject({ code: 'method_not_allowed', status: 405 });
  });

  it('says which field is missing', async () => {
    const { json: answer } = await call('POST', '/v1/things', { body: '{"amount":"1"}' });
    expect(answer).toMatchObject({
      faults: [{ field: 'name', value: null, problem: 'is missing', fix: 'add a value of type string' }],
    });
  });

  it.each([
    ['none', {}, 422],
    ['256 characters', { 'idempotency-key': 'k'.repeat(256) }, 422],
    ['255 characters', { 'idempotency-key': 'k'.repeat(255) }, 201],
  ])('with an idempotency key of %s answers', async (_, headers, status) => {
    expect((await call('POST', '/v1/keyed', { headers })).status).toBe(status);
  });

  it('carries what a controller refuses', async () => {
    expect((await call('GET', '/v1/refused')).json).toEqual({
      type: 'https://tallygate.dev/problems/hold_resolved',
      status: 409,
      code: 'hold_resolved',
      title: 'The hold is resolved',
      hold: 'h1',
    });
  });

  it('answers 404 as a problem', async () => {
    expect(await call('GET', '/nowhere')).toMatchObject({ status: 404, json: { code: 'not_found' } });
  });

  it('leaks nothing of an error but an id, under which it is logged', async () => {
    const { status, text, json: answer } = await call('GET', '/v1/broken');
    expect(status).toBe(500);
    expect(text).not.toContain('hunter2');
    expect(logged.find((line) => line.includes(String(answer?.['id'])))).toContain('hunter2');
  });
});

describe('a virtual clock', () => {
  const at = (days: number): Instant => addMicros(T0, days * MICROS.day);
  const clock = (route: string, given: object, secret: string | null = INTERNAL_SECRET) =>
    call('POST', `/internal/clock/${route}`, {
      body: JSON.stringify(given),
      key: null,
      headers: secret === null ? {} : { 'x-tallygate-internal': secret },
    });

  it.each([
    ['no secret', null],
    ['another secret', 'wrong'],
  ])('is moved by nobody with %s', async (_, secret) => {
    expect(await clock('settle', { tenantId: TENANT, now: formatInstant(T0) }, secret)).toMatchObject({
      status: 401,
      json: { code: 'internal_only' },
    });
  });

  it('names what is wrong with a request', async () => {
    expect(await clock('settle', { tenantId: 'x', now: 'yesterday' })).toMatchObject({
      status: 422,
      json: { faults: [{ field: 'tenantId' }, { field: 'now', value: 'yesterday' }] },
    });
  });

  it('does what is due at each instant, through queue, outbox and bus, and rests', async () => {
    await clock('settle', { tenantId: TENANT, now: formatInstant(T0) });
    await ledger.database.asTenant(TENANT, async (tx) => {
      for (const day of [1, 2, 5])
        await tx.query('insert into due values ($1, $2, $3)', [TENANT, `day ${day}`, pgInstant(at(day))]);
    });
    const seen: string[] = [];
    for (let now = T0; now < at(3);) {
      const { json: next } = await clock('next-due', { tenantId: TENANT, after: formatInstant(now) });
      const due = parseInstant(next?.['nextDue']);
      now = due.ok && due.value < at(3) ? due.value : at(3);
      const { json: settled } = await clock('settle', { tenantId: TENANT, now: formatInstant(now) });
      const again = await clock('settle', { tenantId: TENANT, now: formatInstant(now) });
      expect(again.json).toEqual(settled);
      seen.push(`${formatInstant(now)} ${effects.join(', ')}`);
    }
    expect(seen).toEqual([
      `${formatInstant(at(1))} day 1`,
      `${formatInstant(at(2))} day 1, day 2`,
      `${formatInstant(at(3))} day 1, day 2`,
    ]);
    expect((await clock('next-due', { tenantId: TENANT, after: formatInstant(at(3)) })).json).toEqual({
      nextDue: formatInstant(at(5)),
    });
    expect((await clock('next-due', { tenantId: TENANT, after: formatInstant(at(5)) })).json).toEqual({
      nextDue: null,
    });
  });

  it('goes forward only, for one tenant only', async () => {
    await clock('settle', { tenantId: TENANT, now: formatInstant(T0) });
    expect(await ledger.tenantTime.now(TENANT)).toBe(at(3));
    expect(await ledger.tenantTime.now('00000000-0000-7000-8000-000000000009')).not.toBe(at(3));
  });

  it('counts a request that may have changed something', async () => {
    const activity = async () =>
      (await clock('settle', { tenantId: TENANT, now: formatInstant(T0) })).json?.['activity'];
    const before = await activity();
    await call('GET', '/v1/me');
    expect(await activity()).toBe(before);
    await call('POST', '/v1/keyed', { headers: { 'idempotency-key': 'k' } });
    expect(await activity()).not.toBe(before);
  });
});
