import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestListener, Server } from 'node:http';
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

const identities = [{ source: 's', id: 'e1', payloadHash: 'not to be sent' }];

test('asks the ledger under the internal secret, for identities only', async () => {
  let asked = '';
  const lookup = await lookupAt((request, response) => {
    request.on('data', (chunk: Buffer) => (asked += chunk.toString()));
    request.on('end', () => {
      const trusted =
        request.url === '/internal/identities' && request.headers['x-tallygate-internal'] === 'secret';
      response.end(JSON.stringify({ known: trusted ? [{ source: 's', id: 'e1', payloadHash: 'h' }] : [] }));
    });
  }, 10_000);
  expect(await lookup.known('t', identities)).toEqual([{ source: 's', id: 'e1', payloadHash: 'h' }]);
  expect(JSON.parse(asked)).toEqual({ tenantId: 't', identities: [{ source: 's', id: 'e1' }] });
  expect(misses.count).toBe(0);
});

test.each<[string, RequestListener]>([
  ['does not answer', () => undefined],
  ['fails', (_, response) => response.writeHead(500).end('{}')],
  ['answers something else', (_, response) => response.end('[]')],
])('goes on without it when the ledger %s', async (_, answer) => {
  const lookup = await lookupAt(answer);
  expect(await lookup.known('t', identities)).toEqual([]);
  expect(misses.count).toBe(1);
});
