import type { Identity } from '@tallygate/decision';
import type { Nano } from '@tallygate/kernel';

/** What a gate is asked about one request. */
export interface GateRequest {
  /** Null where the gate serves one tenant. */
  readonly tenantId: string | null;
  readonly identity: Identity;
  /** In the order that matters to the caller; none asks about the account alone. */
  readonly features: readonly string[];
  /** Of each feature. */
  readonly units: Nano;
  /** The most that the request may cost, in the price's unit. */
  readonly maxPrice: Nano | null;
  readonly groups?: Readonly<Record<string, string>>;
  /** Keeps a concurrency slot until `finish`: the caller's name for the request, or true to finish it by its decision. */
  readonly open?: string | true;
  /** Path of the request as its sender wrote it, for the problem's `instance`. */
  readonly path?: string;
}
