import type { BillingGateReason } from '@tallygate/contracts';
import type { DecisionRequest } from '@tallygate/decision';

/** What the service answered about a key that the copy does not hold. */
export interface LiveAnswer {
  readonly allow: boolean;
  readonly status: number;
  readonly reason: BillingGateReason;
  readonly decisionId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The problem as JSON text; empty for a pass. */
  readonly problem: string;
}

/** Asks the service itself. */
export abstract class LiveCheck {
  /** Null: it could not be asked within the time. */
  abstract check(request: DecisionRequest, withinMs: number): Promise<LiveAnswer | null>;
  abstract close(): void;

  /** Opens its connection, so that the first request that has to wait does not wait for that too. */
  warm(): void {}
}

/** A question that the service answers without looking anything up. */
export const WARMING: DecisionRequest = {
  tenantId: null,
  identity: { kind: 'none' },
  features: [],
  units: 0n,
  maxPrice: null,
};
export const WARMING_MS = 2_000;
