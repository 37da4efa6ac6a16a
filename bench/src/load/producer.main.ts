import { setTimeout as pace } from 'node:timers/promises';
import { SeededRandom, cloudEvent } from '@tallygate/testing';
import { picker } from '../../ledger/workload';
import { open } from './doors';
import type { OpenDoor, Written } from './doors';
import type { Produced, ProducerOrder } from './producer';

/** Twice as often as a gate sends what it let through (USAGE_FLUSH_MS of the gate SDK). */
const TICK_MS = 50;

/** Sends usage as gateways do, and tells its parent when everything is acknowledged. */
class UsageWriter {
  private readonly pick: () => string;
  private readonly open = new Set<Promise<void>>();
  private sent = 0;
  private stopping = false;

  constructor(
    private readonly order: ProducerOrder,
    private readonly door: OpenDoor,
  ) {
    const { customers, customerPrefix, zipf = 0 } = order;
    const random = new SeededRandom(1);
    const keys = Array.from({ length: customers }, (_, place) => `${customerPrefix}${place}`);
    this.pick = picker(keys, zipf, () => random.next());
  }

  stop(): void {
    this.stopping = true;
  }

  async run(): Promise<Produced> {
    const start = performance.now();
    if (this.order.rate === null) await this.flatOut();
    else await this.atRate(this.order.rate, start);
    await Promise.all(this.open);
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage();
    await this.door.close();
    return { events: this.sent, seconds, cpuSeconds: (user + system) / 1e6 };
  }

  private get left(): number {
    return this.stopping ? 0 : (this.order.count ?? Infinity) - this.sent;
  }

  private async flatOut(): Promise<void> {
    while (this.left > 0) {
      this.publish(Math.min(this.door.lot, this.left));
      if (this.open.size >= this.door.mostOpen) await Promise.race(this.open);
    }
  }

  /** Open loop: what is due is sent, however far behind the system is. */
  private async atRate(rate: number, start: number): Promise<void> {
    while (this.left > 0) {
      const due = Math.floor((rate * (performance.now() - start)) / 1000) - this.sent;
      if (due > 0) this.publish(Math.min(due, this.left));
      await pace(TICK_MS);
    }
  }

  private publish(count: number): void {
    const publishing = this.door.send(this.messages(count)).finally(() => {
      this.open.delete(publishing);
    });
    this.open.add(publishing);
  }

  private messages(count: number): Written[] {
    const { perMessage } = this.order;
    const text = textOf(this.order.source, new Date().toISOString());
    const messages: Written[] = [];
    for (let left = count; left > 0; left -= perMessage) {
      const events = Array.from({ length: Math.min(perMessage, left) }, () => this.event(text));
      const joined = events.length === 1 && perMessage === 1 ? (events[0] ?? '') : `[${events.join(',')}]`;
      messages.push({ key: `${this.order.source}-${this.sent}`, text: joined });
    }
    return messages;
  }

  private event(text: EventText): string {
    const id = `${this.order.source}-${this.sent}`;
    this.sent += 1;
    return text(id, this.pick(), 100 + (this.sent % 900));
  }
}

type EventText = (id: string, subject: string, tokens: number) => string;

/** An event’s JSON is put together from parts: what is measured shares the processors with who writes it. */
function textOf(source: string, time: string): EventText {
  const [ID, SUBJECT, TOKENS] = ['«id»', '«subject»', 900_719_925] as const;
  const event = JSON.stringify(cloudEvent({ source, id: ID, subject: SUBJECT, tokens: TOKENS, time }));
  const [head = '', afterId = '', afterSubject = '', tail = ''] = event.split(
    new RegExp(`${ID}|${SUBJECT}|${TOKENS}`),
  );
  return (id, subject, tokens) => `${head}${id}${afterId}${subject}${afterSubject}${tokens}${tail}`;
}

async function main(order: ProducerOrder): Promise<void> {
  const writer = new UsageWriter(order, await open(order.door, order.perMessage));
  process.on('message', () => writer.stop());
  const produced = await writer.run();
  process.send?.(produced, () => process.disconnect());
}

void main(JSON.parse(process.argv[2] ?? '{}') as ProducerOrder);
