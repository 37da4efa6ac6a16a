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
    const response = await fetch(`${this.address.url}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.address.credential}`,
        'content-type': 'application/cloudevents-batch+json',
      },
      body: JSON.stringify(events),
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const passing = response.status >= 500 || response.status === 429 || response.status === 401;
    if (passing) throw new Error(`ingestion answered ${response.status}`);
    return deliveryOf(await response.text(), response.ok, events.length);
  }

  override async close(): Promise<void> {}
}

/** 207 names the events that were refused; any other refusal is of them all. */
function deliveryOf(text: string, ok: boolean, count: number): Delivery {
  const refused = ok ? ((JSON.parse(text) as { refused?: readonly unknown[] }).refused?.length ?? 0) : count;
  return { taken: count - refused, refused, problem: refused === 0 ? null : text.slice(0, 500) };
}
