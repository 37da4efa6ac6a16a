import { Injectable } from '@nestjs/common';
import { addMicros, maxInstant } from '@tallygate/kernel';
import type { MeteredEvent } from '@tallygate/contracts';
import type { Fault } from '../domain/fault';
import type { TimeBounds } from '../domain/usage-event';
import { EventRegistry, IdentityLookup, ParkedStore, TenantViews, UsagePublisher } from './ports';
import type { Claim, ClaimOutcome, ParkedCode, ParkedEvent } from './ports';
import { UsageCounts } from './usage-counts';
import { UsageReader } from './usage-reader.service';
import type { Outcome, Read } from './usage-reader.service';

/** What is answered about one event. Accepted and parked events are durable. */
export type Acceptance =
  | { readonly kind: 'accepted'; readonly id: string; readonly duplicate: boolean }
  | { readonly kind: 'parked'; readonly id: string; readonly duplicate: boolean; readonly code: ParkedCode }
  | { readonly kind: 'invalid'; readonly id: string | null; readonly faults: readonly Fault[] }
  | { readonly kind: 'conflict'; readonly id: string; readonly source: string };

/** An event that is neither invalid nor a conflict: with the time of its first sending, to be handed on. */
interface Admitted {
  readonly read: Read;
  readonly duplicate: boolean;
}

/**
 * Takes events of a tenant over HTTP. A repeat is handed on again, with the time it first came with: when the first
 * sending was remembered but never published, this publishes it, and the ledger books an identity once anyway.
 */
@Injectable()
export class AcceptUsage {
  constructor(
    private readonly reader: UsageReader,
    private readonly views: TenantViews,
    private readonly ledger: IdentityLookup,
    private readonly registry: EventRegistry,
    private readonly parked: ParkedStore,
    private readonly publisher: UsagePublisher,
    private readonly counts: UsageCounts,
  ) {}

  /**
   * @param bounds which times are taken, where they are not the dedup window's
   * @returns one answer per event, in order; good events are taken whatever the others are
   */
  async accept(
    tenantId: string,
    events: readonly unknown[],
    bounds?: TimeBounds,
  ): Promise<readonly Acceptance[]> {
    const outcomes = await this.reader.read(events.map((json) => ({ tenantId, json, bounds })));
    const reads = outcomes.filter((outcome): outcome is Read => outcome.kind !== 'refused');
    const claims = await this.claim(tenantId, reads);
    const admitted = reads.map((read, place) => admit(read, claims[place] as ClaimOutcome));
    await this.handOn(admitted.filter((one) => one !== null));
    let place = 0;
    const answers = outcomes.map((outcome) =>
      answerOf(outcome, outcome.kind === 'refused' ? null : (admitted[place++] ?? null)),
    );
    this.count(answers);
    return answers;
  }

  /** What the ledger has booked from elsewhere counts as known; the registry decides the rest. */
  private async claim(tenantId: string, reads: readonly Read[]): Promise<readonly ClaimOutcome[]> {
    if (reads.length === 0) return [];
    const window = (await this.views.of([tenantId])).get(tenantId)?.windowMicros ?? 0;
    const claims = reads.map((read) => claimOf(read, window));
    const booked = new Map(
      (await this.ledger.known(tenantId, claims)).map((one) => [nameOf(one), one.payloadHash]),
    );
    const conflicts = claims.map(
      (claim) => (booked.get(nameOf(claim)) ?? claim.payloadHash) !== claim.payloadHash,
    );
    const registered = await this.registry.claim(claims.filter((_, place) => !conflicts[place]));
    let place = 0;
    return claims.map((claim, at): ClaimOutcome => {
      if (conflicts[at])
        return { kind: 'known', payloadHash: booked.get(nameOf(claim)) ?? '', occurredAt: claim.occurredAt };
      const outcome = registered[place++] as ClaimOutcome;
      const alreadyBooked = outcome.kind === 'claimed' && booked.has(nameOf(claim));
      return alreadyBooked
        ? { kind: 'known', payloadHash: claim.payloadHash, occurredAt: claim.occurredAt }
        : outcome;
    });
  }

  private async handOn(admitted: readonly Admitted[]): Promise<void> {
    const metered: MeteredEvent[] = [];
    const parked: ParkedEvent[] = [];
    for (const { read } of admitted) {
      if (read.kind === 'metered') metered.push(read.metered);
      else parked.push(read.parked);
    }
    if (parked.length > 0) await this.parked.park(parked);
    if (metered.length > 0) await this.publisher.publish(metered);
  }

  private count(answers: readonly Acceptance[]): void {
    for (const answer of answers) {
      if (answer.kind === 'invalid') this.counts.refused('invalid_event', 1);
      else if (answer.kind === 'conflict') this.counts.refused('identity_conflict', 1);
      else if (answer.duplicate) this.counts.duplicate(1);
      else if (answer.kind === 'parked') this.counts.parked(answer.code, 1);
      else this.counts.accepted('http', 1);
    }
  }
}

function claimOf(read: Read, windowMicros: number): Claim {
  const { tenantId, source, id, payloadHash, occurredAt, receivedAt } = eventOf(read);
  const keepUntil = addMicros(maxInstant(occurredAt, receivedAt), windowMicros);
  return { tenantId, source, id, payloadHash, occurredAt, receivedAt, keepUntil };
}

function eventOf(read: Read): Omit<Claim, 'keepUntil'> {
  const { tenantId, source, id, payloadHash, occurredAt, receivedAt } =
    read.kind === 'metered' ? read.metered : read.parked;
  return {
    tenantId,
    source,
    id,
    payloadHash,
    occurredAt: occurredAt as Claim['occurredAt'],
    receivedAt: receivedAt as Claim['receivedAt'],
  };
}

function nameOf({ source, id }: { readonly source: string; readonly id: string }): string {
  return JSON.stringify([source, id]);
}

/** Null: another payload has this identity. */
function admit(read: Read, claim: ClaimOutcome): Admitted | null {
  if (claim.kind === 'claimed') return { read, duplicate: false };
  const { payloadHash, occurredAt } = claim;
  if (payloadHash !== eventOf(read).payloadHash) return null;
  const first =
    read.kind === 'metered'
      ? { ...read, metered: { ...read.metered, occurredAt } }
      : { ...read, parked: { ...read.parked, occurredAt } };
  return { read: first, duplicate: true };
}

function answerOf(outcome: Outcome, admitted: Admitted | null): Acceptance {
  if (outcome.kind === 'refused') return { kind: 'invalid', id: outcome.id, faults: outcome.faults };
  const { id, source } = eventOf(outcome);
  if (admitted === null) return { kind: 'conflict', id, source };
  const { duplicate } = admitted;
  return outcome.kind === 'parked'
    ? { kind: 'parked', id, duplicate, code: outcome.parked.code }
    : { kind: 'accepted', id, duplicate };
}
