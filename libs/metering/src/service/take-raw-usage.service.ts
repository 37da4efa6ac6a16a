import { Injectable } from '@nestjs/common';
import { Clock } from '@tallygate/kernel';
import type { MeteredEvent } from '@tallygate/contracts';
import type { Fault } from '../domain/fault';
import { fault } from '../domain/fault';
import { DeadLetterStore } from './dead-letters';
import type { DeadLetterCode, NewDeadLetter } from './dead-letters';
import { ParkedStore, RawSources, UsagePublisher } from './ports';
import type { ParkedEvent, TenantSource } from './ports';
import { UsageCounts } from './usage-counts';
import { UsageReader } from './usage-reader.service';
import type { Candidate, Outcome, Refused } from './usage-reader.service';

/** One event of a message, or the message itself when no event could be told in it. */
export interface RawEvent {
  readonly tenantId: string;
  /** Of use, as the payload is, only to a letter: most events need neither. */
  readonly origin: () => string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: () => Buffer;
  readonly body:
    { readonly json: unknown } | { readonly code: DeadLetterCode; readonly faults: readonly Fault[] };
}

interface Parking {
  readonly raw: RawEvent;
  readonly event: ParkedEvent;
}

/**
 * Takes slices of events that nobody waits for an answer about. Everything about a slice is durable when this resolves:
 * published, parked, or a letter; whatever one event is, the others pass. Safe to repeat: the ledger books an identity
 * once, parking and letters are unique.
 */
@Injectable()
export class TakeRawUsage {
  constructor(
    private readonly reader: UsageReader,
    private readonly parked: ParkedStore,
    private readonly publisher: UsagePublisher,
    private readonly sources: RawSources,
    private readonly letters: DeadLetterStore,
    private readonly counts: UsageCounts,
    private readonly clock: Clock,
  ) {}

  /** @param chunks read one after the other: what one was read from may go when the next is */
  async take(chunks: Iterable<readonly RawEvent[]>): Promise<void> {
    const batch = await this.publisher.open();
    const parked: Parking[] = [];
    const letters: NewDeadLetter[] = [];
    const sources = new DistinctSources();
    let accepted = 0;
    for (const events of chunks) {
      const metered = await this.sort(events, parked, letters);
      for (const event of metered) sources.add(event);
      batch.add(metered);
      accepted += metered.length;
    }
    for (const { event } of parked) sources.add(event);
    await this.sources.note(sources.all());
    if (accepted > 0) await batch.publish();
    if (parked.length > 0) letters.push(...(await this.park(parked)));
    if (letters.length > 0) await this.deadLetter(letters);
    this.counts.accepted('kafka', accepted);
  }

  /** @returns what is to be published */
  private async sort(
    events: readonly RawEvent[],
    parked: Parking[],
    letters: NewDeadLetter[],
  ): Promise<readonly MeteredEvent[]> {
    const outcomes = await this.outcomesOf(events);
    const metered: MeteredEvent[] = [];
    events.forEach((raw, place) => {
      const outcome = outcomes[place] ?? null;
      if (outcome === null) letters.push(this.undecodable(raw));
      else if (outcome.kind === 'metered') metered.push(outcome.metered);
      else if (outcome.kind === 'parked') parked.push({ raw, event: outcome.parked });
      else letters.push(invalidLetter(raw, outcome));
    });
    return metered;
  }

  /** One per event, in order; null for what holds no event. */
  private async outcomesOf(events: readonly RawEvent[]): Promise<readonly (Outcome | null)[]> {
    const read = await this.reader.read(events.flatMap(candidatesIn));
    let place = 0;
    return events.map((event) => ('json' in event.body ? (read[place++] ?? null) : null));
  }

  private async park(parked: readonly Parking[]): Promise<NewDeadLetter[]> {
    const conflicts = new Set(await this.parked.park(parked.map(({ event }) => event)));
    for (const { event } of parked) if (!conflicts.has(event)) this.counts.parked(event.code, 1);
    return parked
      .filter(({ event }) => conflicts.has(event))
      .map(({ raw, event }) => conflictLetter(raw, event));
  }

  private async deadLetter(letters: readonly NewDeadLetter[]): Promise<void> {
    await this.letters.add(letters);
    for (const { code } of letters) this.counts.deadLettered(code, 1);
  }

  private undecodable({ tenantId, origin, headers, payload, body }: RawEvent): NewDeadLetter {
    const { code, faults } = body as { readonly code: DeadLetterCode; readonly faults: readonly Fault[] };
    const receivedAt = this.clock.now();
    return {
      tenantId,
      origin: origin(),
      code,
      faults,
      source: null,
      eventId: null,
      payload: payload(),
      headers,
      receivedAt,
    };
  }
}

/** Each once. Neighbours nearly always share theirs. */
class DistinctSources {
  private readonly byName = new Map<string, TenantSource>();
  private last: TenantSource | null = null;

  add({ tenantId, source }: TenantSource): void {
    if (this.last?.source === source && this.last.tenantId === tenantId) return;
    this.last = { tenantId, source };
    this.byName.set(tenantId + source, this.last);
  }

  all(): Iterable<TenantSource> {
    return this.byName.values();
  }
}

function candidatesIn({ tenantId, body }: RawEvent): Candidate[] {
  return 'json' in body ? [{ tenantId, json: body.json }] : [];
}

function invalidLetter(
  { tenantId, origin, headers, payload }: RawEvent,
  { id, source, faults, receivedAt }: Refused,
): NewDeadLetter {
  return {
    tenantId,
    origin: origin(),
    code: 'invalid_event',
    faults,
    source,
    eventId: id,
    payload: payload(),
    headers,
    receivedAt,
  };
}

function conflictLetter(
  { tenantId, origin, headers, payload }: RawEvent,
  { source, id, receivedAt }: ParkedEvent,
): NewDeadLetter {
  const faults = [identityConflict(id)];
  return {
    tenantId,
    origin: origin(),
    code: 'identity_conflict',
    faults,
    source,
    eventId: id,
    payload: payload(),
    headers,
    receivedAt,
  };
}

export function identityConflict(id: string): Fault {
  return fault('id', id, 'was used before with another payload', 'Send a new id, or the same payload.');
}
