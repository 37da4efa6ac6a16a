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

function openHttp({ url, apiKey }: Door & { kind: 'http' }, perMessage: number): OpenDoor {
  const type = perMessage === 1 ? 'cloudevents+json' : 'cloudevents-batch+json';
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': `application/${type}` };
  const post = async ({ text }: Written): Promise<void> => {
    const answer = await fetch(url, { method: 'POST', headers, body: text });
    const said = await answer.text();
    if (answer.status !== 202) throw new Error(`usage was answered ${answer.status} ${said.slice(0, 500)}`);
  };
  const send = async (messages: readonly Written[]): Promise<void> =>
    void (await Promise.all(messages.map(post)));
  return { lot: perMessage, mostOpen: 16, send, close: () => Promise.resolve() };
}
