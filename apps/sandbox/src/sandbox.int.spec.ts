import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { startSandbox } from './server';
import type { SandboxServer } from './server';
import { accountSecret } from './webhook-sender';

const SECRET = 'a secret for webhooks';
const NOON = '2026-03-01T12:00:00Z';
const METADATA = { tenant: 'tenant-1', customer: 'acme', invoice: 'i1', attempt: 'a1', purpose: 'charge' };

interface Received {
  readonly type: string;
  readonly verified: boolean;
}

let folder: string;
let receiver: Server;
let received: Received[];
let receiverStatus: number;
let sandbox: SandboxServer;

const start = (): Promise<SandboxServer> =>
  startSandbox({
    host: '127.0.0.1',
    port: 0,
    journalPath: join(folder, 'provider.jsonl'),
    webhookSecret: SECRET,
    webhookUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`,
    run: `run${received.length}`,
  });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sandbox-'));
  received = [];
  receiverStatus = 204;
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (receiverStatus < 300)
        received.push(verify(Buffer.concat(chunks).toString(), request.headers as Record<string, string>));
      response.writeHead(receiverStatus).end();
    });
  });
  await new Promise<void>((ready) => receiver.listen(0, '127.0.0.1', ready));
  sandbox = await start();
});

afterEach(async () => {
  await sandbox.close();
  receiver.closeAllConnections();
  receiver.close();
  await rm(folder, { recursive: true });
});

function verify(body: string, headers: Record<string, string>): Received {
  const { type, mode, account } = JSON.parse(body) as { type: string; mode: string; account: string };
  try {
    new Webhook(accountSecret(SECRET, account, mode)).verify(body, headers);
    return { type, verified: true };
  } catch {
    return { type, verified: false };
  }
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${sandbox.url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

const charge = (key: string, method: string, at = NOON) =>
  call(
    'POST',
    '/v1/charges',
    { amount: '10.00', currency: 'USD', payment_method: `sandbox:${method}`, metadata: METADATA, now: at },
    key,
  );
const script = (body: Record<string, unknown>) =>
  call('POST', '/control/script', { tenant: 'tenant-1', ...body });
const events = (body: Record<string, unknown>) =>
  call('POST', '/control/events', { tenant: 'tenant-1', customer: 'acme', ...body });
const settle = () => call('POST', '/internal/clock/settle', { tenantId: 'tenant-1', now: NOON });
const captures = async () => (await call('GET', '/control/captures?tenant=tenant-1&customer=acme')).body;

test.each([
  ['ok', 'succeeded', null, null],
  ['decline:insufficient_funds', 'declined', 'insufficient_funds', null],
  ['decline:do_not_honor,advice:24', 'declined', 'do_not_honor', '24'],
  ['requires_action', 'requires_action', null, null],
  ['pending', 'pending', null, null],
])('a card that does %s is %s', async (method, status, code, advice) => {
  expect((await charge('k1', method)).body).toMatchObject({ status, code, advice });
});

test('one key is one capture, whatever is sent with it again', async () => {
  const first = await charge('k1', 'ok');
  expect(await charge('k1', 'decline:lost_card')).toEqual(first);
  expect(await captures()).toMatchObject({ list: [{ at: NOON, amount: '10' }], total: '10' });
});

test.each([
  ['timeout_captured', 'succeeded', '10'],
  ['timeout_declined', 'declined', '0'],
  ['timeout_unknown', 'pending', '0'],
])('%s gives no answer and no webhook, but the record says %s', async (method, status, total) => {
  await expect(charge('k1', method)).rejects.toThrow();
  await settle();
  expect((await call('GET', '/v1/charges/by-key/k1')).body).toMatchObject({ status });
  expect(await captures()).toMatchObject({ total });
  expect(received).toEqual([]);
});

test('a script of the customer beats that of everyone, and both beat the card', async () => {
  await script({ customer: '*', next: ['decline:lost_card'], then: 'decline:generic_decline' });
  await script({ customer: 'acme', next: ['decline:expired_card'] });
  const codes = [];
  for (const key of ['k1', 'k2', 'k3']) codes.push((await charge(key, 'ok')).body.code);
  expect(codes).toEqual(['expired_card', 'lost_card', 'generic_decline']);
});

test('an outage refuses from the first charge that meets it, for its length, once', async () => {
  const statuses = [];
  for (const [key, minute] of [
    ['k1', '00'],
    ['k2', '49'],
    ['k3', '50'],
  ] as const) {
    statuses.push((await charge(key, 'outage:50m', `2026-03-01T12:${minute}:00Z`)).status);
  }
  expect(statuses).toEqual([503, 503, 200]);
});

test('what the caller was told outlives the process', async () => {
  const first = await charge('k1', 'ok');
  await sandbox.close();
  sandbox = await start();
  expect(await charge('k1', 'ok')).toEqual(first);
  expect(await captures()).toMatchObject({ total: '10' });
});

test('held events wait, are delivered as often as asked, and settle the record', async () => {
  await events({ hold: true });
  await charge('k1', 'pending');
  await charge('k2', 'ok');
  await settle();
  expect(received).toEqual([]);
  await events({ deliver: ['2.succeeded', '1.succeeded'], duplicate: 2 });
  expect(received.map((event) => event.type)).toEqual(Array(4).fill('charge.succeeded'));
  expect(await captures()).toMatchObject({ total: '20' });
});

test('a dropped event settles the record without a word; a wrong secret does not verify', async () => {
  await charge('k1', 'pending');
  await events({ drop: ['1.succeeded'] });
  expect([received, (await captures()).total]).toEqual([[], '10']);
  await events({ deliver: ['1.succeeded'], secret: 'wrong' });
  expect(received).toEqual([{ type: 'charge.succeeded', verified: false }]);
});

test('a webhook waits for a receiver that is down', async () => {
  receiverStatus = 503;
  await charge('k1', 'ok');
  await settle();
  receiverStatus = 204;
  await settle();
  expect(received).toEqual([{ type: 'charge.succeeded', verified: true }]);
});

test('refunds show as negative captures, never above what was captured, once per key', async () => {
  const { body } = await charge('k1', 'ok');
  const refund = (key: string, amount: string) =>
    call('POST', '/v1/refunds', { charge: body.charge, amount, now: NOON }, key);
  expect([
    (await refund('r1', '4')).status,
    (await refund('r1', '4')).status,
    (await refund('r2', '7')).status,
  ]).toEqual([200, 200, 409]);
  expect(await captures()).toMatchObject({ list: [{ amount: '10' }, { amount: '-4' }], total: '6' });
});

test('authentication is done or abandoned', async () => {
  await charge('k1', 'requires_action');
  const { body } = await call('POST', '/control/authenticate', {
    tenant: 'tenant-1',
    customer: 'acme',
    outcome: 'abandoned',
  });
  expect(body).toMatchObject({ status: 'declined', code: 'authentication_required' });
});
