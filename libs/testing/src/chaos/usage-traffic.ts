import type { EventBus } from '@tallygate/platform';
import { TENANT_HEADER } from '@tallygate/platform';
import type { LiveTenant } from '../load/live-tenant';
import type { SeededRandom } from '../load/seeded-random';
import { cloudEvent } from '../load/usage';
import type { ClientRecord, SentUsage } from './client-record';

export const SOURCE = 'chaos';

export interface UsageTrafficOptions {
  readonly tenant: LiveTenant;
  readonly bus: EventBus;
  readonly customers: readonly string[];
  readonly record: ClientRecord;
  readonly random: SeededRandom;
  /** New events of each tick through each of the two doors. */
  readonly perTick: number;
}

type Door = 'http' | 'kafka';

interface Parcel {
  readonly door: Door;
  readonly events: readonly SentUsage[];
  /** How often it was sent in vain. */
  readonly failures: number;
  /** Not sent again before, on the monotonic clock in ms. */
  readonly notBefore: number;
}

/** Clients that crash themselves: what they did not hear of is never sent again. */
const SHARE_GIVEN_UP = 0.05;

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
const UNSENT = { failures: 0, notBefore: 0 };

/**
 * Clients that send usage at a steady pace whatever the system does, send again what was not acknowledged, and now and
 * then send what was.
 */
export class UsageTraffic {
  private readonly pending = new Set<Promise<void>>();
  private again: Parcel[] = [];
  private made = 0;

  constructor(private readonly options: UsageTrafficOptions) {}

  tick(): void {
    for (const parcel of [...this.due(), this.fresh('http'), this.fresh('kafka'), ...this.repeated()])
      this.send(parcel);
  }

  /** Nothing new; resolves when every client has its acknowledgement or `patienceOver` says no more. */
  async drain(patienceOver: () => boolean): Promise<void> {
    while ((this.again.length > 0 || this.pending.size > 0) && !patienceOver()) {
      for (const parcel of this.due()) this.send(parcel);
      await Promise.race([...this.pending, ticked()]);
    }
  }

  private due(): Parcel[] {
    const now = performance.now();
    const due = this.again.filter(({ notBefore }) => notBefore <= now);
    this.again = this.again.filter(({ notBefore }) => notBefore > now);
    return due;
  }

  private fresh(door: Door): Parcel {
    const { random, customers, perTick, record } = this.options;
    const time = new Date().toISOString();
    const events = Array.from({ length: perTick }, () => {
      this.made += 1;
      const id = `${door}-${this.made}`;
      return record.sent({
        source: SOURCE,
        id,
        subject: random.pick(customers),
        tokens: random.between(1, 1000),
        time,
      });
    });
    return { door, events, ...UNSENT };
  }

  private repeated(): Parcel[] {
    const { random, record, perTick } = this.options;
    const known = record.acknowledged;
    if (known.length === 0) return [];
    const events = Array.from({ length: Math.ceil(perTick / 10) }, () => random.pick(known));
    record.repeats += events.length;
    return [{ door: random.chance(0.5) ? 'http' : 'kafka', events, ...UNSENT }];
  }

  private send(parcel: Parcel): void {
    const sending = this.deliver(parcel)
      .then((taken) => this.answered(parcel, taken))
      .finally(() => this.pending.delete(sending));
    this.pending.add(sending);
  }

  private answered(parcel: Parcel, taken: boolean): void {
    const { record, random } = this.options;
    if (taken) record.acknowledge(parcel.events);
    else if (parcel.failures > 0 || !random.chance(SHARE_GIVEN_UP)) this.again.push(later(parcel));
  }

  private deliver({ door, events }: Parcel): Promise<boolean> {
    const bodies = events.map(cloudEvent);
    return door === 'http' ? this.overHttp(bodies) : this.overKafka(bodies);
  }

  private async overHttp(bodies: readonly unknown[]): Promise<boolean> {
    const answer = await this.options.tenant.sendUsage(bodies).catch(() => null);
    if (answer === null || answer.status >= 500) return false;
    if (answer.status !== 202)
      this.options.record.wrong(`POST /v1/events answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.status === 202;
  }

  private async overKafka(bodies: readonly unknown[]): Promise<boolean> {
    const { bus, tenant } = this.options;
    const headers = { [TENANT_HEADER]: tenant.id };
    const messages = bodies.map((body, place) => ({
      key: `${this.made}-${place}`,
      value: Buffer.from(JSON.stringify(body)),
      headers,
    }));
    return bus.publish('usage.raw', messages).then(
      () => true,
      () => false,
    );
  }
}

/** Clients back off, each for itself: all at once they would keep down what has just come up. */
function later(parcel: Parcel): Parcel {
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** parcel.failures);
  return { ...parcel, failures: parcel.failures + 1, notBefore: performance.now() + waitMs };
}

const ticked = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));
