import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MemoryFeed, sample } from '@tallygate/gate-sdk';
import { SystemClock } from '@tallygate/kernel';
import { startGate } from '@tallygate/gate';
import { CUSTOMERS, credentialOf, customerIdOf } from './asked';

/** A server under load, in a process of its own: says where it listens, and on demand what it cost. */
async function main(kind: string): Promise<void> {
  const url = kind === 'bare' ? await bareServer() : await gateAgent();
  process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
  process.on('disconnect', () => process.exit(0));
  process.send?.({ url });
}

/** The control: what node's HTTP server does when it has nothing to decide. */
async function bareServer(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, ['Content-Length', '0']);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function gateAgent(): Promise<string> {
  const feed = new MemoryFeed(new SystemClock());
  feed.put(sample.tenant(), sample.catalog());
  for (let n = 0; n < CUSTOMERS; n += 1) {
    const id = customerIdOf(n);
    feed.put(
      { ...sample.customer('10', { id, key: `customer-${n}`, subjects: [] }), key: id },
      sample.credential(credentialOf(n), { customerId: id, subject: null }),
    );
  }
  const client = { gateId: 'bench', credential: 'a-credential-of-a-bench', transports: [feed] };
  const gate = await startGate({ port: 0, client });
  await gate.client.until(({ up }) => up);
  return gate.url;
}

void main(process.argv[2] ?? 'bare');
