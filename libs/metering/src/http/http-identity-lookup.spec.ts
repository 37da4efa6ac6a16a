import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestListener, Server } from 'node:http';
import { usageIdentity } from '@tallygate/contracts';
import { UsageCounts } from '../service/usage-counts';
import { HttpIdentityLookup } from './http-identity-lookup';

class Misses extends UsageCounts {
  count = 0;
  override accepted(): void {}
  override duplicate(): void {}
  override refused(): void {}
  override parked(): void {}
  override deadLettered(): void {}
  override lookupMissed(): void {
    this.count += 1;
  }
}

let server: Server | undefined;
const misses = new Misses();

async function lookupAt(answer: RequestListener, patienceMs?: number): Promise<HttpIdentityLookup> {
  const listening = createServer(answer);
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  return new HttpIdentityLookup(
    { ledgerUrl: `http://127.0.0.1:${port}`, internalSecret: 'secret', patienceMs },
    misses,
  );
}

beforeEach(() => (misses.count = 0));
afterEach(() => server?.closeAllConnections());
afterEach(
  () => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))),
);

const IDENTITY = usageIdentity(randomUUID(), 's', 'e1');
const PAYLOAD = 'a'.repeat(32);

test('asks the ledger under the internal secret', async () => {
  let asked = '';
  const lookup = await lookupAt((request, response) => {
    request.on('data', (chunk: Buffer) => (asked += chunk.toString()));
    request.on('end', () => {
      const trusted =
        request.url === '/internal/identities' && request.headers['x-tallygate-internal'] === 'secret';
      response.end(JSON.stringify({ known: trusted ? [{ identity: IDENTITY, payloadHash: PAYLOAD }] : [] }));
    });
  }, 10_000);
  expect(await lookup.known([IDENTITY])).toEqual(new Map([[IDENTITY, PAYLOAD]]));
  expect(JSON.parse(asked)).toEqual({ identities: [IDENTITY] });
  expect(misses.count).toBe(0);
});

test.each<[string, RequestListener]>([
  ['does not answer', () => undefined],
  ['fails', (_, response) => response.writeHead(500).end('{}')],
  ['answers something else', (_, response) => response.end('[]')],
])('goes on without it when the ledger %s', async (_, answer) => {
  const lookup = await lookupAt(answer);
  expect(await lookup.known([IDENTITY])).toEqual(new Map());
  expect(misses.count).toBe(1);
});
