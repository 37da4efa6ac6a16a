import { setTimeout as pace } from 'node:timers/promises';
import { KafkaEventBus, TENANT_HEADER, silentLog } from '@tallygate/platform';
import type { OutgoingMessage } from '@tallygate/platform';
import { SeededRandom, cloudEvent } from '@tallygate/testing';
import type { Produced, ProducerOrder } from './producer';

const CHUNK = 2_000;
const MOST_OPEN = 4;
const TICK_MS = 20;

/** Writes usage to usage.raw as gateways do, and tells its parent when everything is acknowledged. */
class UsageWriter {
  private readonly bus: KafkaEventBus;
  private readonly random = new SeededRandom(1);
  private readonly open = new Set<Promise<void>>();
  private sent = 0;
  private stopping = false;

  constructor(private readonly order: ProducerOrder) {
    this.bus = new KafkaEventBus({ brokers: order.brokers, clientId: 'bench-producer', log: silentLog });
  }

  stop(): void {
    this.stopping = true;
  }

  async run(): Promise<Produced> {
    await this.bus.start();
    const start = performance.now();
    if (this.order.rate === null) await this.flatOut();
    else await this.atRate(this.order.rate, start);
    await Promise.all(this.open);
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage();
    await this.bus.close();
    return { events: this.sent, seconds, cpuSeconds: (user + system) / 1e6 };
  }

  private get left(): number {
    return this.stopping ? 0 : (this.order.count ?? Infinity) - this.sent;
  }

  private async flatOut(): Promise<void> {
    while (this.left > 0) {
      this.publish(Math.min(CHUNK, this.left));
      if (this.open.size >= MOST_OPEN) await Promise.race(this.open);
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
    const publishing = this.bus.publish('usage.raw', this.messages(count)).finally(() => {
      this.open.delete(publishing);
    });
    this.open.add(publishing);
  }

  private messages(count: number): OutgoingMessage[] {
    const { perMessage, tenantId } = this.order;
    const headers = { [TENANT_HEADER]: tenantId };
    const time = new Date().toISOString();
    const messages: OutgoingMessage[] = [];
    for (let left = count; left > 0; left -= perMessage) {
      const events = Array.from({ length: Math.min(perMessage, left) }, () => this.event(time));
      const value = Buffer.from(JSON.stringify(perMessage === 1 ? events[0] : events));
      messages.push({ key: `${this.order.source}-${this.sent}`, value, headers });
    }
    return messages;
  }

  private event(time: string): unknown {
    const { source, customerPrefix, customers } = this.order;
    const id = `${source}-${this.sent}`;
    this.sent += 1;
    const subject = `${customerPrefix}${this.random.between(0, customers)}`;
    return cloudEvent({ source, id, subject, tokens: 100 + (this.sent % 900), time });
  }
}

const writer = new UsageWriter(JSON.parse(process.argv[2] ?? '{}') as ProducerOrder);
process.on('message', () => writer.stop());
void writer.run().then((produced) => {
  process.send?.(produced, () => process.disconnect());
});
