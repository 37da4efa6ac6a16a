import type { Instant } from '@tallygate/kernel';
import type { CorrectedUsage, MeteredEvent } from '@tallygate/contracts';
import type { CompiledCatalog } from '../domain/meter';

/** What a tenant's events are judged by. */
export interface TenantView {
  readonly now: Instant;
  /** How far back an event's time may lie, in microseconds. */
  readonly windowMicros: number;
  /** 0 before the first catalog. */
  readonly revision: number;
  readonly catalog: CompiledCatalog;
}

/** Answers for every tenant asked; one that nobody knows yet has no meters, so that its events are parked. */
export abstract class TenantViews {
  abstract of(tenantIds: readonly string[]): Promise<ReadonlyMap<string, TenantView>>;
}

export interface TenantSubject {
  readonly tenantId: string;
  readonly subject: string;
}

/** @returns customer ids in the order asked; null where a subject is nobody's */
export abstract class CustomerLookup {
  abstract find(subjects: readonly TenantSubject[]): Promise<readonly (string | null)[]>;
}

/** First 128 bits of SHA-256, hex. */
export abstract class PayloadHasher {
  abstract hash(payload: string): string;
}

/** Publishes metered usage. */
export abstract class UsagePublisher {
  abstract open(): Promise<UsageBatch>;

  /** Resolves when it is durable. */
  async publish(events: readonly MeteredEvent[]): Promise<void> {
    const batch = await this.open();
    batch.add(events);
    await batch.publish();
  }
}

/** Events that leave together. They are held in the form in which they leave, so that what they were read from may go. */
export interface UsageBatch {
  add(events: readonly MeteredEvent[]): void;
  /** Resolves when all that was added is durable. */
  publish(): Promise<void>;
}

export interface Identity {
  readonly source: string;
  readonly id: string;
}

export interface KnownIdentity extends Identity {
  readonly payloadHash: string;
}

/**
 * Asks the ledger which identities it has booked. Best effort: an empty answer when it cannot be asked in time, since
 * the ledger finds a conflict later all the same.
 */
export abstract class IdentityLookup {
  /** @param identities each the `usageIdentity` of an event @returns payload hashes by identity */
  abstract known(identities: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/** A booked event, as far as a correction must know it. */
export interface CorrectionTarget extends Identity {
  readonly customerId: string;
  /** Null where only its meters tell. */
  readonly type: string | null;
  /** Keys of the meters that read it. */
  readonly meters: readonly string[];
}

/** Asks the ledger for booked events. What it cannot answer in time counts as not booked yet: the correction waits. */
export abstract class CorrectionTargets {
  abstract find(tenantId: string, identities: readonly Identity[]): Promise<readonly CorrectionTarget[]>;
}

/** An event that came over HTTP, as it is remembered. */
export interface Claim {
  /** `usageIdentity` of the event. */
  readonly identity: string;
  readonly tenantId: string;
  readonly payloadHash: string;
  readonly occurredAt: Instant;
  /** Until then a repeat may come; afterwards its time is refused. */
  readonly keepUntil: Instant;
}

/** `claimed` now, or `known` from before, with the hash and time it came with. */
export type ClaimOutcome =
  | { readonly kind: 'claimed' }
  | { readonly kind: 'known'; readonly payloadHash: string; readonly occurredAt: Instant };

/** Remembers what came over HTTP, so that a conflict is answered where somebody listens. */
export abstract class EventRegistry {
  /** @returns one outcome per claim, in order, durable; of several claims of one identity the first wins */
  abstract claim(claims: readonly Claim[]): Promise<readonly ClaimOutcome[]>;
  /** Forgets identities whose time is over. @returns how many */
  abstract forget(scope: string | null, systemNow: Instant): Promise<number>;
}

/** CloudEvents' source, of a tenant. */
export interface TenantSource {
  readonly tenantId: string;
  readonly source: string;
}

/**
 * Sources whose events came through usage.raw. Of others the ledger has booked nothing that the registry does not know,
 * so it need not be asked.
 */
export abstract class RawSources {
  /** Durable when it resolves: to be called before their events are handed on. */
  abstract note(sources: Iterable<TenantSource>): Promise<void>;
  /** @returns which of these were noted, by whichever process */
  abstract among(sources: Iterable<TenantSource>): Promise<(one: TenantSource) => boolean>;
}

/** `event_unknown`: a correction whose event nobody has booked yet. */
export type ParkedCode = 'customer_unknown' | 'meter_unknown' | 'event_unknown';

/** An accepted event that waits for its customer or meter. */
export interface ParkedEvent extends KnownIdentity {
  readonly tenantId: string;
  readonly code: ParkedCode;
  readonly type: string;
  readonly subject: string;
  readonly occurredAt: Instant;
  readonly receivedAt: Instant;
  /** Catalog revision under which it was looked at. */
  readonly revision: number;
  /** The event as JSON text. */
  readonly event: string;
  /** On a correction: the event it waits for. */
  readonly corrects: CorrectedUsage | null;
}

/** What becomes of a parked event that was looked at again: it leaves, or waits on. */
export type Disposition =
  | { readonly kind: 'gone' }
  | { readonly kind: 'waits'; readonly code: ParkedCode; readonly revision: number };

export abstract class ParkedStore {
  /**
   * Parks events; durable when it resolves. One that is parked already stays as it is.
   * @returns those whose identity is parked with another payload
   */
  abstract park(events: readonly ParkedEvent[]): Promise<readonly ParkedEvent[]>;
  /**
   * Takes parked events whose cause may be gone, at most `limit`, and does with each what `look` says, in one
   * transaction. Another process takes others. @returns how many it took
   */
  abstract revisit(
    scope: string | null,
    limit: number,
    look: (events: readonly ParkedEvent[]) => Promise<readonly Disposition[]>,
  ): Promise<number>;
  /**
   * The same with corrections whose event was not booked when they were last looked at, those looked at least first.
   * @returns how many went on
   */
  abstract revisitAwaiting(
    scope: string | null,
    limit: number,
    look: (events: readonly ParkedEvent[]) => Promise<readonly Disposition[]>,
  ): Promise<number>;
  /** Oldest first, as their corrections leave them: a reversed one is not shown, nor is a correction of one that is. */
  abstract list(tenantId: string, limit: number): Promise<readonly ParkedEvent[]>;
}
