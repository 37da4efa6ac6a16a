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
    for (const batch of usageBatches(events)) deliveries.push(await this.post(batch));
    return {
      taken: deliveries.reduce((sum, { taken }) => sum + taken, 0),
      refused: deliveries.reduce((sum, { refused }) => sum + refused, 0),
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
    const passing = response.status >= 500 || response.status === 429 || response.status === 401;
    if (passing) throw new Error(`ingestion answered ${response.status}`);
    return deliveryOf(text, response.ok, count);
  }

  override async close(): Promise<void> {}
}

/** 207 names the events that were refused; any other refusal is of them all. */
function deliveryOf(text: string, ok: boolean, count: number): Delivery {
  const refused = ok ? ((JSON.parse(text) as { refused?: readonly unknown[] }).refused?.length ?? 0) : count;
  return { taken: count - refused, refused, problem: refused === 0 ? null : text.slice(0, 500) };
}
