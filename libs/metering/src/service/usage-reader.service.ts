import { Injectable } from '@nestjs/common';
import { formatInstant, invariant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { CorrectedUsage, MeteredEvent, MeterReading } from '@tallygate/contracts';
import type { Fault } from '../domain/fault';
import type { Correction } from '../domain/correction';
import { readEvent } from '../domain/reading';
import type { UsageEvent } from '../domain/usage-event';
import type { TimeBounds } from '../domain/usage-event';
import { timeBounds } from '../domain/usage-event';
import { amendedReadings, CorrectionReader } from './correction-reader.service';
import type { PlacedCorrection, PlacedEvent } from './correction-reader.service';
import { CustomerLookup, PayloadHasher, TenantViews } from './ports';
import type { CorrectionTarget, ParkedEvent, TenantView } from './ports';

/** One event to be read: JSON as parsed, of a tenant. */
export interface Candidate {
  readonly tenantId: string;
  readonly json: unknown;
  /** Set for an event that was let in before: its time is not judged again, and it keeps these. */
  readonly admitted?: Times;
  /** Which times are taken, where they are not the dedup window's. */
  readonly bounds?: TimeBounds;
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
  readonly correction: Correction | null;
}

/** Validates and meters a whole slice of events with one look-up of tenants and one of customers. */
@Injectable()
export class UsageReader {
  constructor(
    private readonly views: TenantViews,
    private readonly customers: CustomerLookup,
    private readonly hasher: PayloadHasher,
    private readonly corrections: CorrectionReader,
  ) {}

  /** @returns one outcome per candidate, in order */
  async read(candidates: readonly Candidate[]): Promise<readonly Outcome[]> {
    const views = await this.views.of([...new Set(candidates.map((candidate) => candidate.tenantId))]);
    const drafts = candidates.map((candidate) => this.draft(candidate, viewOf(views, candidate.tenantId)));
    const readable = drafts.filter((draft) => !('kind' in draft)) as Draft[];
    const customers = await this.customers.find(
      readable.map(({ tenantId, event }) => ({ tenantId, subject: event.subject })),
    );
    const targets = await this.corrections.find(correctionsIn(readable), eventsIn(readable, customers));
    let place = 0;
    return drafts.map((draft) => {
      if ('kind' in draft) return draft;
      const at = place++;
      const { tenantId, correction } = draft;
      return correction === null
        ? settle(draft, customers[at] ?? null)
        : settleCorrection(draft, correction, targets.get(at) ?? null, viewOf(views, tenantId));
    });
  }

  private draft({ tenantId, json, admitted, bounds }: Candidate, view: TenantView): Draft | Refused {
    const allowed = admitted === undefined ? (bounds ?? timeBounds(view.now, view.windowMicros)) : null;
    const reading = readEvent(json, allowed, view.catalog);
    if (reading.kind === 'refused') return { ...reading, receivedAt: view.now };
    const { event, readings, payload, correction } = reading;
    const times = admitted ?? { occurredAt: event.time ?? view.now, receivedAt: view.now };
    return {
      tenantId,
      times,
      revision: view.revision,
      event,
      readings,
      correction,
      payloadHash: this.hasher.hash(payload),
    };
  }
}

function settle(draft: Draft, customerId: string | null): Read {
  const { readings } = draft;
  if (customerId !== null && readings !== null)
    return { kind: 'metered', metered: meteredOf(draft, customerId, readings) };
  return parkedAs(draft, customerId === null ? 'customer_unknown' : 'meter_unknown');
}

/** A correction follows its event: to its customer, with what its type's meters read now. */
function settleCorrection(
  draft: Draft,
  correction: Correction,
  target: CorrectionTarget | null,
  view: TenantView,
): Outcome {
  if (target === null) return parkedAs(draft, 'event_unknown');
  const amended = amendedReadings(correction, target, view.catalog);
  const { source, id } = draft.event;
  if (amended.kind === 'refused')
    return { kind: 'refused', id, source, faults: amended.faults, receivedAt: draft.times.receivedAt };
  const metered = meteredOf(draft, target.customerId, amended.readings);
  return {
    kind: 'metered',
    metered: { ...metered, type: amended.type, corrects: correctedBy(correction) },
  };
}

function meteredOf(draft: Draft, customerId: string, readings: readonly MeterReading[]): MeteredEvent {
  const { tenantId, times, event, payloadHash } = draft;
  const { subject, source, id, type } = event;
  const { occurredAt, receivedAt } = times;
  return {
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
}

function parkedAs(draft: Draft, code: ParkedEvent['code']): Read {
  const { tenantId, times, revision, event, payloadHash, correction } = draft;
  const { subject, source, id, type } = event;
  const { occurredAt, receivedAt } = times;
  const identity = { tenantId, source, id, payloadHash };
  const corrects = correction === null ? null : correctedBy(correction);
  const kept = { type, subject, occurredAt, receivedAt, code, revision, event: eventText(event), corrects };
  return { kind: 'parked', parked: { ...identity, ...kept } };
}

function correctedBy({ source, id, change }: Correction): CorrectedUsage {
  return { source, id, kind: change.kind };
}

function correctionsIn(drafts: readonly Draft[]): PlacedCorrection[] {
  return drafts.flatMap(({ tenantId, correction }, place) =>
    correction === null ? [] : [{ tenantId, place, correction }],
  );
}

/** Asked for only beside corrections: the usual slice has none. */
function eventsIn(drafts: readonly Draft[], customers: readonly (string | null)[]): PlacedEvent[] {
  if (drafts.every(({ correction }) => correction === null)) return [];
  return drafts.flatMap(({ tenantId, event, readings, correction }, place) => {
    const customerId = customers[place] ?? null;
    if (customerId === null || readings === null || correction !== null) return [];
    const { source, id, type } = event;
    return [{ tenantId, source, id, type, customerId, place }];
  });
}

/** The event again as JSON, without what was ignored. */
function eventText({ id, source, type, subject, time, data }: UsageEvent): string {
  const optional = time === null ? {} : { time: formatInstant(time) };
  const about = subject === '' ? {} : { subject };
  return JSON.stringify({ specversion: '1.0', id, source, type, ...about, ...optional, data });
}

function viewOf(views: ReadonlyMap<string, TenantView>, tenantId: string): TenantView {
  const view = views.get(tenantId);
  invariant(view, 'Every tenant asked for has a view');
  return view;
}
