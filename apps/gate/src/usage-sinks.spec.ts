import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { HttpUsageSink, usageEvent } from '@tallygate/gate-sdk';
import { fromMillis } from '@tallygate/kernel';
import { InProcessEventBus, TENANT_HEADER } from '@tallygate/platform';
import type { IncomingMessage } from '@tallygate/platform';
import { KafkaUsageSink } from './kafka/kafka-usage-sink';

const TENANT = '0198c0de-0000-7000-8000-000000000001';
const EVENTS = ['1', '2', '3'].map((id) =>
  usageEvent({ source: 'g', id, type: 't', subject: 's', at: fromMillis(0), data: { tokens: '4' } }),
);

describe('usage to the bus', () => {
  it('is one message of usage.raw with its tenant', async () => {
    const bus = new InProcessEventBus();
    const messages: IncomingMessage[] = [];
    await bus.subscribe({
      topics: ['usage.raw'],
      group: 'test',
      handle: async (slice) => void messages.push(...slice.messages),
    });
    const sink = new KafkaUsageSink(bus);
    expect(await sink.send(TENANT, EVENTS)).toEqual({ taken: 3, refused: 0, problem: null });
    expect(messages).toHaveLength(1);
    expect(messages[0]?.headers).toMatchObject({
      [TENANT_HEADER]: TENANT,
      'content-type': 'application/cloudevents-batch+json',
    });
    expect(JSON.parse(String(messages[0]?.value))).toEqual(EVENTS);
    await sink.close();
  });
});

describe('usage to ingestion over HTTP', () => {
  let server: Server;
  let answer: { readonly status: number; readonly body: object };
  let sink: HttpUsageSink;
  const seen: { readonly headers: object; readonly body: unknown }[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push({
          headers: request.headers,
          body: JSON.parse(Buffer.concat(chunks).toString()) as unknown,
        });
        response.writeHead(answer.status).end(JSON.stringify(answer.body));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    sink = new HttpUsageSink({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credential: 'k',
    });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is a batch of CloudEvents with the tenant’s key', async () => {
    answer = { status: 202, body: { accepted: 3, duplicates: 0, parked: 0, refused: [] } };
    expect(await sink.send(TENANT, EVENTS)).toEqual({ taken: 3, refused: 0, problem: null });
    expect(seen.at(-1)).toMatchObject({
      headers: { authorization: 'Bearer k', 'content-type': 'application/cloudevents-batch+json' },
      body: EVENTS,
    });
  });

  it('knows which were refused', async () => {
    answer = { status: 207, body: { accepted: 2, refused: [{ index: 0 }] } };
    expect(await sink.send(TENANT, EVENTS)).toMatchObject({ taken: 2, refused: 1, refusedAt: [0] });
    answer = { status: 422, body: { code: 'invalid_event' } };
    expect(await sink.send(TENANT, EVENTS)).toMatchObject({ taken: 0, refused: 3, refusedAt: [0, 1, 2] });
  });

  it.each([500, 503, 429, 401, 403])('is sent again after %i', async (status) => {
    answer = { status, body: {} };
    await expect(sink.send(TENANT, EVENTS)).rejects.toThrow(`answered ${status}`);
  });
});
