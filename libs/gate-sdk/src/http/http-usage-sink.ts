import { usageBatches } from '../domain/usage-batches';
import type { UsageBatch } from '../domain/usage-batches';
import type { UsageEvent } from '../domain/usage-event';
import { UsageSink } from '../service/usage-sink';
import type { Delivery } from '../service/usage-sink';
import type { HttpAddress } from './http-feed';

const WITHIN_MS = 10_000;

/** Ingestion's own door, `POST /v1/events` in batch mode; a tenant's key, so one tenant's usage. */
export class HttpUsageSink extends UsageSink {
  constructor(private readonly address: HttpAddress) {
    super();
  }

  override async send(_tenantId: string, events: readonly UsageEvent[]): Promise<Delivery> {
    const deliveries: Delivery[] = [];
    const refusedAt: number[] = [];
    let from = 0;
    for (const batch of usageBatches(events)) {
      const delivery = await this.post(batch);
      deliveries.push(delivery);
      refusedAt.push(...(delivery.refusedAt ?? []).map((at) => from + at));
      from += batch.count;
    }
    return {
      taken: deliveries.reduce((sum, { taken }) => sum + taken, 0),
      refused: refusedAt.length,
      ...(refusedAt.length === 0 ? {} : { refusedAt }),
      problem: deliveries.find(({ problem }) => problem !== null)?.problem ?? null,
    };
  }

  private async post({ body, count }: UsageBatch): Promise<Delivery> {
    const response = await fetch(`${this.address.url}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.address.credential}`,
        'content-type': 'application/cloudevents-batch+json',
      },
      body,
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const text = await response.text();
    if (response.status >= 500 || NOT_THE_EVENTS.has(response.status))
      throw new Error(`ingestion answered ${response.status}`);
    return deliveryOf(text, response.ok, count);
  }

  override async close(): Promise<void> {}
}

/** What is wrong is the credential or the pace, and not what was sent. */
const NOT_THE_EVENTS: ReadonlySet<number> = new Set([401, 403, 429]);

/** 207 names the events that were refused; any other refusal is of them all. */
function deliveryOf(text: string, ok: boolean, count: number): Delivery {
  const refusedAt = ok ? refusedIn(text) : Array.from({ length: count }, (_, at) => at);
  const refused = refusedAt.length;
  return { taken: count - refused, refused, refusedAt, problem: refused === 0 ? null : text.slice(0, 500) };
}

function refusedIn(text: string): number[] {
  const { refused = [] } = JSON.parse(text) as { refused?: readonly { readonly index: number }[] };
  return refused.map(({ index }) => index);
}
