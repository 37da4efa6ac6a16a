import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, waitUntil } from '@tallygate/infra-local';
import { processEnvironment } from '@tallygate/platform';

/** What `npm run build` made; the process under test is the one that ships. */
const GATE_MAIN = join(__dirname, '../../../dist/apps/gate/src/main.js');
const TENANT = '0198c0de-0000-7000-8000-000000000001';
const LINES = 6_000;

let dir: string;
let server: Server;
let url: string;
let agent: ChildProcess;
let ended = false;
/** By id, the texts that came: one for each id, however often. */
const came = new Map<string, Set<string>>();
let sendings = 0;
/** Called for each batch, before it is answered. */
let onBatch: (answer: () => void) => void;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'agent-killed-'));
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      for (const event of JSON.parse(Buffer.concat(chunks).toString()) as { readonly id: string }[]) {
        sendings += 1;
        came.set(event.id, (came.get(event.id) ?? new Set()).add(JSON.stringify(event)));
      }
      onBatch(() => accept(response));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  ended = true;
  agent?.kill('SIGKILL');
  server?.closeAllConnections();
  server?.close();
  await rm(dir, { recursive: true, force: true });
});

function accept(response: ServerResponse): void {
  response.writeHead(202).end(JSON.stringify({ accepted: 1, duplicates: 0, parked: 0, refused: [] }));
}

async function startAgent(): Promise<void> {
  const port = await freePort();
  const env = {
    PATH: processEnvironment()['PATH'],
    PORT: String(port),
    LOG_LEVEL: 'silent',
    GATE_ID: 'gate-1',
    ENTITLEMENT_URL: 'http://127.0.0.1:9',
    GATE_API_KEY: 'a-key-of-a-test-long-enough',
    USAGE: 'http',
    INGESTION_URL: url,
    ACCESS_LOG: join(dir, 'usage.log'),
    ACCESS_LOG_STATE: join(dir, 'state'),
  };
  if (ended) return;
  agent = spawn(process.execPath, [GATE_MAIN], { env, stdio: 'ignore' });
}

const line = (n: number): string =>
  `${JSON.stringify({
    specversion: '1.0',
    accesslog: '1',
    id: `r${n}`,
    source: 'edge-1',
    type: 'gate.request',
    time: '2026-03-01T00:00:00.000Z',
    tenant: TENANT,
    subject: 'acme-1',
    data: { status: '200', n },
  })}\n`;

/** A third of the lines at once, then the log is renamed as rotation does. */
async function write(part: number): Promise<void> {
  const size = LINES / 3;
  const lines = Array.from({ length: size }, (_, n) => line(part * size + n)).join('');
  const log = join(dir, 'usage.log');
  if (part > 0) await rename(log, `${log}.${4 - part}`);
  await appendFile(log, lines);
}

it('sends every line, whenever it is killed: some twice, none never, each the same text', async () => {
  let batch = 0;
  let restarts = 0;
  // Every other batch it dies: before the answer came, or right after.
  onBatch = (answer) => {
    batch += 1;
    if (batch % 4 === 1) answer();
    if (batch % 2 === 1 && restarts < 8) {
      restarts += 1;
      agent.kill('SIGKILL');
      agent.once('exit', () => {
        if (!ended) void startAgent();
      });
    } else if (batch % 4 !== 1) answer();
  };
  await write(0);
  await startAgent();
  expect(await waitUntil(() => came.size >= 500, 60_000)).toBe(true);
  await write(1);
  await write(2);
  expect(await waitUntil(() => came.size === LINES, 120_000)).toBe(true);
  expect(restarts).toBeGreaterThan(3);
  expect(sendings).toBeGreaterThan(LINES);
  expect([...came.values()].every((texts) => texts.size === 1)).toBe(true);
}, 200_000);
