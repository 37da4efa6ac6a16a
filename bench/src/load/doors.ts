import { Agent, request } from 'node:http';
import type { RequestOptions } from 'node:http';
import { Kafka, logLevel } from 'kafkajs';
import { TOPICS } from '@tallygate/contracts';
import { TENANT_HEADER } from '@tallygate/platform';
import { KafkaWriter } from './kafka-writer';
import type { Door } from './producer';

/** Usage as text: one event, or several as a JSON array. */
export interface Written {
  readonly key: string;
  readonly text: string;
}

/** As many gateways that report for themselves would have on their way. */
export const HTTP_REQUESTS = 64;

export interface OpenDoor {
  /** Events that go at once, and how many such lots may wait for their acknowledgement, when as much as possible goes. */
  readonly lot: number;
  readonly mostOpen: number;
  /** Resolves when they are acknowledged. */
  readonly send: (messages: readonly Written[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

export function open(door: Door, perMessage: number): Promise<OpenDoor> {
  return door.kind === 'kafka' ? openKafka(door) : Promise.resolve(openHttp(door, perMessage));
}

async function openKafka({ brokers, tenantId }: Door & { kind: 'kafka' }): Promise<OpenDoor> {
  const [broker] = brokers;
  if (broker === undefined || brokers.length > 1)
    throw new Error(`one broker is needed, not "${brokers.join(', ')}"`);
  const headers = { [TENANT_HEADER]: tenantId };
  const partitions = await partitionsOf(broker, TOPICS.usageRaw);
  const writer = await KafkaWriter.connect({ broker, topic: TOPICS.usageRaw, partitions, headers });
  return {
    lot: 2_000,
    mostOpen: 4,
    send: (messages) => writer.send(messages),
    close: () => writer.close(),
  };
}

async function partitionsOf(broker: string, topic: string): Promise<number> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return (await admin.fetchTopicOffsets(topic)).length;
  } finally {
    await admin.disconnect();
  }
}

/** Kept connections, one request at a time on each. */
function openHttp({ url, apiKey }: Door & { kind: 'http' }, perMessage: number): OpenDoor {
  const type = perMessage === 1 ? 'cloudevents+json' : 'cloudevents-batch+json';
  const agent = new Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': `application/${type}` };
  const send = async (messages: readonly Written[]): Promise<void> =>
    void (await Promise.all(messages.map(({ text }) => post(new URL(url), { agent, headers }, text))));
  return { lot: perMessage, mostOpen: HTTP_REQUESTS, send, close: async () => agent.destroy() };
}

function post(url: URL, options: RequestOptions, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ...options, method: 'POST' }, (answer) => {
      let said = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (said += chunk));
      answer.on('end', () => {
        if (answer.statusCode === 202) return resolve();
        reject(new Error(`usage was answered ${answer.statusCode} ${said.slice(0, 500)}`));
      });
    });
    asked.once('error', reject);
    asked.end(text);
  });
}
