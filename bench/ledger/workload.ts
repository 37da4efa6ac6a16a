import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { MeteredEvent } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';

export interface Shape {
  readonly customers: number;
  /** Exponent of the Zipf distribution over customers; 0: uniform. */
  readonly zipf: number;
  readonly randomIds: boolean;
  readonly sliceSize: number;
  readonly writers: number;
}

export interface Customer {
  readonly tenantId: string;
  readonly customerId: string;
}

/**
 * Draws items by their popularity, the first the most.
 * @param random uniform in [0, 1)
 */
export function picker<Item>(items: readonly Item[], zipf: number, random = Math.random): () => Item {
  const weights = items.map((_, i) => 1 / (i + 1) ** zipf);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const ends = weights.map((weight) => (sum += weight / total));
  return () => {
    const at = random();
    let low = 0;
    for (let high = ends.length - 1; low < high;) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 1) < at) low = middle + 1;
      else high = middle;
    }
    return items[low] as Item;
  };
}

let sequence = 0;

/** A slice as it comes from the bus: JSON of metered events, so that parsing is measured too. */
export function sliceMessage(pick: () => Customer, shape: Shape, now: Instant): Buffer {
  const events = Array.from({ length: shape.sliceSize }, (): MeteredEvent => {
    sequence += 1;
    const id = shape.randomIds ? randomUUID() : `evt-${sequence}`;
    return {
      ...pick(),
      subject: 'subject-1',
      source: 'bench',
      id,
      type: 'llm.completion',
      occurredAt: now - 1_000 * (sequence % 1000),
      receivedAt: now,
      payloadHash: randomBytes(16).toString('hex'),
      readings: [
        {
          meter: 'tokens',
          quantity: String(100 + (sequence % 900)),
          group: { model: 'm1' },
          features: ['completions'],
        },
      ],
    };
  });
  return Buffer.from(JSON.stringify(events));
}

export function identityHex(source: string, id: string): string {
  return createHash('sha256').update(`${source}\n${id}`).digest('hex').slice(0, 32);
}
