import type { EventEnvelope } from './envelope';

type AnyEvent = EventEnvelope<string, unknown>;

export interface EncodedEvent {
  readonly value: Buffer;
  readonly headers: { readonly type: string; readonly tenant: string; readonly id: string };
}

/** An event as a message: the JSON envelope, with type, tenant and id repeated in the headers. */
export function encodeEvent(event: AnyEvent): EncodedEvent {
  return {
    value: Buffer.from(JSON.stringify(event)),
    headers: { type: event.type, tenant: event.tenantId, id: event.id },
  };
}

/**
 * Reads a message written by `encodeEvent`. Only our own services write these topics; a message that is not such an
 * envelope throws, naming what is wrong, and is a bug to be fixed, not input to be refused.
 */
export function decodeEvent<E extends AnyEvent>(value: Buffer): E {
  const event = JSON.parse(value.toString('utf8')) as Partial<E> | null;
  for (const field of ['id', 'type', 'tenantId', 'occurredAt'] as const) {
    if (typeof event?.[field] !== 'string')
      throw new TypeError(`event without "${field}": ${value.toString('utf8', 0, 200)}`);
  }
  return event as E;
}
