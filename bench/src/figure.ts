export interface Reading {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

export interface Goal {
  readonly text: string;
  readonly met: boolean;
}

/** What was measured, beside what it is compared with. */
export interface Figure {
  readonly name: string;
  readonly readings: readonly Reading[];
  /** Measured in the same run on the same machine. */
  readonly controls: readonly Reading[];
  readonly ratios: readonly Reading[];
  readonly goals: readonly Goal[];
  /** How it was measured. */
  readonly how: string;
}

/** A figure that could not be measured says why. */
export type Outcome = Figure | { readonly name: string; readonly unmeasured: string };

export const isMeasured = (outcome: Outcome): outcome is Figure => !('unmeasured' in outcome);

export async function attempt(name: string, measure: () => Promise<Figure>): Promise<Outcome> {
  try {
    return await measure();
  } catch (error) {
    return { name, unmeasured: error instanceof Error ? error.message : String(error) };
  }
}

export const reading = (name: string, value: number, unit: string): Reading => ({ name, value, unit });

export function atLeast(reading: Reading, least: number, unit = ''): Goal {
  return { text: `${reading.name} ≥ ${least}${unit}`, met: reading.value >= least };
}

export function below(reading: Reading, limit: number): Goal {
  return { text: `${reading.name} < ${limit} ${reading.unit}`, met: reading.value < limit };
}

/** The value below which this share of the samples lies. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** The middle, which one disturbed round does not move. */
export const median = (samples: readonly number[]): number => quantile(samples, 0.5);
