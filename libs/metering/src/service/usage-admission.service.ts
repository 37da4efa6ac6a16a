import { Injectable } from '@nestjs/common';
import { addMicros, instant, maxInstant } from '@tallygate/kernel';
import { usageIdentity } from '@tallygate/contracts';
import type { MeteredEvent } from '@tallygate/contracts';
import { GroupCommit, PublishError, storageProblem } from '@tallygate/platform';
import { EventRegistry, IdentityLookup, ParkedStore, RawSources, TenantViews, UsagePublisher } from './ports';
import type { Claim, ClaimOutcome, ParkedEvent } from './ports';
import type { Read } from './usage-reader.service';

/** An event that is no conflict: with the time of its first sending, durable. */
export interface Admitted {
  readonly read: Read;
  readonly duplicate: boolean;
}

/** Null for a conflict: another payload has its identity. */
type Admissions = readonly (Admitted | null)[];

const MOST_AT_ONCE = 4_000;
/** A few requests with usual batches: with less than this a second look-up, transaction and publication cost more. */
const ENOUGH_AT_ONCE = 1_000;
/** While one group waits for the database, another one is being published. */
const GROUPS = 2;
const NOTHING_BOOKED: ReadonlyMap<string, string> = new Map();
const NOT_REMEMBERED: ClaimOutcome = { kind: 'claimed' };

/**
 * Remembers events that came over HTTP, and hands them on. A repeat is handed on again, with the time it first came with:
 * when the first sending was remembered but never published, this publishes it, and the ledger books an identity once
 * anyway. Requests that come while others are in work share the question to the ledger, the transaction and the
 * publication.
 */
@Injectable()
export class UsageAdmission {
  private readonly groups = new GroupCommit<readonly Read[], Admissions>({
    commit: (requests) => this.admitTogether(requests),
    sizeOf: (reads) => reads.length,
    most: MOST_AT_ONCE,
    enough: ENOUGH_AT_ONCE,
    lanes: GROUPS,
    isOutage: (error) => error instanceof PublishError || storageProblem(error) !== null,
  });

  constructor(
    private readonly views: TenantViews,
    private readonly ledger: IdentityLookup,
    private readonly rawSources: RawSources,
    private readonly registry: EventRegistry,
    private readonly parked: ParkedStore,
    private readonly publisher: UsagePublisher,
  ) {}

  /** @param reads of one request @returns one outcome per event, in order; what is admitted is durable */
  async admit(reads: readonly Read[]): Promise<Admissions> {
    return reads.length === 0 ? [] : this.groups.add(reads);
  }

  private async admitTogether(requests: readonly (readonly Read[])[]): Promise<readonly Admissions[]> {
    const reads = requests.flat();
    const outcomes = await this.claim(reads);
    const admitted = reads.map((read, place) => admit(read, outcomes[place] as ClaimOutcome));
    await this.handOn(admitted.filter((one) => one !== null));
    let place = 0;
    return requests.map((own) => admitted.slice(place, (place += own.length)));
  }

  /** What the ledger has booked from elsewhere counts as known; the registry decides the rest. */
  private async claim(reads: readonly Read[]): Promise<readonly ClaimOutcome[]> {
    const views = await this.views.of([...new Set(reads.map((read) => eventOf(read).tenantId))]);
    const claims = reads.map((read) => claimOf(read, views.get(eventOf(read).tenantId)?.windowMicros ?? 0));
    const booked = await this.booked(reads, claims);
    const isConflict = ({ identity, payloadHash }: Claim): boolean =>
      (booked.get(identity) ?? payloadHash) !== payloadHash;
    const registered = await this.registry.claim(claims.filter((claim) => !isConflict(claim)));
    let place = 0;
    return claims.map((claim): ClaimOutcome => {
      const payloadHash = booked.get(claim.identity);
      const outcome = isConflict(claim) ? NOT_REMEMBERED : (registered[place++] as ClaimOutcome);
      if (payloadHash === undefined || outcome.kind === 'known') return outcome;
      return { kind: 'known', payloadHash, occurredAt: claim.occurredAt };
    });
  }

  /** @returns payload hashes by identity of what the ledger has booked, where it may have booked what came elsewhere */
  private async booked(
    reads: readonly Read[],
    claims: readonly Claim[],
  ): Promise<ReadonlyMap<string, string>> {
    const isRaw = await this.rawSources.among(reads.map(eventOf));
    const asked = claims.filter((_, place) => isRaw(eventOf(reads[place] as Read)));
    return asked.length === 0 ? NOTHING_BOOKED : this.ledger.known(asked.map(({ identity }) => identity));
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
}

function claimOf(read: Read, windowMicros: number): Claim {
  const { tenantId, source, id, payloadHash, ...times } = eventOf(read);
  const occurredAt = instant(times.occurredAt);
  const keepUntil = addMicros(maxInstant(occurredAt, instant(times.receivedAt)), windowMicros);
  return { identity: usageIdentity(tenantId, source, id), tenantId, payloadHash, occurredAt, keepUntil };
}

function eventOf(read: Read): MeteredEvent | ParkedEvent {
  return read.kind === 'metered' ? read.metered : read.parked;
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
