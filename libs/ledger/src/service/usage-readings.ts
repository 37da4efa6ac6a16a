import type { Meter } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';

export interface UsageQuestion {
  readonly tenantId: string;
  readonly customerId: string;
  readonly meter: string;
  readonly aggregation: Meter['aggregation'];
  /** Bounds of consecutive windows, at least two: [0,1), [1,2) … */
  readonly bounds: readonly Instant[];
  /** Only events in [from, to). */
  readonly from: Instant;
  readonly to: Instant;
  readonly groupBy: readonly string[];
  /** Only events with one of the values, for each group named; an empty text stands for a group that is not there. */
  readonly filter: Readonly<Record<string, readonly string[]>>;
}

export interface UsageAnswer {
  /** Index of the window. */
  readonly window: number;
  readonly group: Readonly<Record<string, string | null>>;
  /** Decimal text; null where an aggregation of nothing has no value. */
  readonly value: string | null;
}

/** Reads usage as metered. */
export abstract class UsageReadings {
  abstract ask(tx: Tx, question: UsageQuestion): Promise<readonly UsageAnswer[]>;
  /** Time of the meter's earliest event; null when there is none. */
  abstract first(
    tx: Tx,
    question: Pick<UsageQuestion, 'tenantId' | 'customerId' | 'meter'>,
  ): Promise<Instant | null>;
}
