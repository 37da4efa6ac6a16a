import { Injectable } from '@nestjs/common';
import { formatInstant, invariant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { MeteredEvent, MeterReading } from '@tallygate/contracts';
import type { Fault } from '../domain/fault';
import { readEvent } from '../domain/reading';
import type { UsageEvent } from '../domain/usage-event';
import { timeBounds } from '../domain/usage-event';
import { CustomerLookup, PayloadHasher, TenantViews } from './ports';
import type { ParkedEvent, TenantView } from './ports';

/** One event to be read: JSON as parsed, of a tenant. */
export interface Candidate {
  readonly tenantId: string;
  readonly json: unknown;
  /** Set for an event that was let in before: its time is not judged again, and it keeps these. */
  readonly admitted?: Times;
}

export interface Times {
  readonly occurredAt: Instant;
  readonly receivedAt: Instant;
}

/** A valid event of a known customer and meter, or one that has to wait for either. */
export type Read =
  | { readonly kind: 'metered'; readonly metered: MeteredEvent }
  | { readonly kind: 'parked'; readonly parked: ParkedEvent };

export interface Refused {
  readonly kind: 'refused';
  readonly id: string | null;
  readonly source: string | null;
  readonly faults: readonly Fault[];
  readonly receivedAt: Instant;
}

export type Outcome = Read | Refused;

interface Draft {
  readonly tenantId: string;
  readonly times: Times;
  readonly revision: number;
  readonly event: UsageEvent;
  readonly payloadHash: string;
  readonly readings: readonly MeterReading[] | null;
}

/** Validates and meters a whole slice of events with one look-up of tenants and one of customers. */
@Injectable()
export class UsageReader {
  constructor(
    private readonly views: TenantViews,
    private readonly customers: CustomerLookup,
    private readonly hasher: PayloadHasher,
  ) {}

  /** @returns one outcome per candidate, in order */
  async read(candidates: readonly Candidate[]): Promise<readonly Outcome[]> {
    const views = await this.views.of([...new Set(candidates.map((candidate) => candidate.tenantId))]);
    const drafts = candidates.map((candidate) => this.draft(candidate, viewOf(views, candidate.tenantId)));
    const readable = drafts.filter((draft) => !('kind' in draft)) as Draft[];
    const customers = await this.customers.find(
      readable.map(({ tenantId, event }) => ({ tenantId, subject: event.subject })),
    );
    let place = 0;
    return drafts.map((draft) => ('kind' in draft ? draft : settle(draft, customers[place++] ?? null)));
  }

  private draft({ tenantId, json, admitted }: Candidate, view: TenantView): Draft | Refused {
    const bounds = admitted === undefined ? timeBounds(view.now, view.windowMicros) : null;
    const reading = readEvent(json, bounds, view.catalog);
    if (reading.kind === 'refused') return { ...reading, receivedAt: view.now };
    const { event, readings, payload } = reading;
    const times = admitted ?? { occurredAt: event.time ?? view.now, receivedAt: view.now };
    return {
      tenantId,
      times,
      revision: view.revision,
      event,
      readings,
      payloadHash: this.hasher.hash(payload),
    };
  }
}

function settle(draft: Draft, customerId: string | null): Read {
  const { tenantId, times, revision, event, payloadHash, readings } = draft;
  const { subject, source, id, type } = event;
  const { occurredAt, receivedAt } = times;
  if (customerId !== null && readings !== null) {
    const metered = {
      tenantId,
      customerId,
      subject,
      source,
      id,
      type,
      occurredAt,
      receivedAt,
      payloadHash,
      readings,
    };
    return { kind: 'metered', metered };
  }
  const code = customerId === null ? 'customer_unknown' : 'meter_unknown';
  const identity = { tenantId, source, id, payloadHash };
  return {
    kind: 'parked',
    parked: { ...identity, type, subject, occurredAt, receivedAt, code, revision, event: eventText(event) },
  };
}

/** The event again as JSON, without what was ignored. */
function eventText({ id, source, type, subject, time, data }: UsageEvent): string {
  const optional = time === null ? {} : { time: formatInstant(time) };
  return JSON.stringify({ specversion: '1.0', id, source, type, subject, ...optional, data });
}

function viewOf(views: ReadonlyMap<string, TenantView>, tenantId: string): TenantView {
  const view = views.get(tenantId);
  invariant(view, 'Every tenant asked for has a view');
  return view;
}
