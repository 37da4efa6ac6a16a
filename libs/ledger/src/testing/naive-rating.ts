/**
 * The rules of rating once more, as plainly as they can be said, unit by unit and event by event, in whole units: what the
 * engine is compared with. Written apart from the engine; shares no code with it.
 */
export interface NaiveTier {
  readonly upTo: number | null;
  readonly amount: number;
  readonly flat: number;
}

/** Every unit at the price of the tier that it falls into; a tier's flat with its first unit. */
export function naiveGraduated(tiers: readonly NaiveTier[], before: number, quantity: number): number {
  let sum = 0;
  for (let unit = before + 1; unit <= before + quantity; unit += 1) {
    const index = tiers.findIndex((tier) => tier.upTo === null || unit <= tier.upTo);
    const first = unit === (index === 0 ? 0 : (tiers[index - 1]?.upTo ?? 0)) + 1;
    sum += (tiers[index]?.amount ?? 0) + (first ? (tiers[index]?.flat ?? 0) : 0);
  }
  return sum;
}

/** The whole event at the tier of its last unit; that tier's flat when the event holds its first unit. */
export function naiveVolume(tiers: readonly NaiveTier[], before: number, quantity: number): number {
  if (quantity === 0) return 0;
  const total = before + quantity;
  const index = tiers.findIndex((tier) => tier.upTo === null || total <= tier.upTo);
  const first = (index === 0 ? 0 : (tiers[index - 1]?.upTo ?? 0)) + 1;
  const tier = tiers[index];
  return quantity * (tier?.amount ?? 0) + (before < first ? (tier?.flat ?? 0) : 0);
}

/** A package whenever a unit is the first of one. */
export function naivePackages(size: number, before: number, quantity: number): number {
  let packages = 0;
  for (let unit = before + 1; unit <= before + quantity; unit += 1)
    if ((unit - 1) % size === 0) packages += 1;
  return packages;
}

export type NaiveGauge = 'max' | 'min' | 'avg' | 'latest' | 'unique_count';

export interface NaiveReading {
  readonly at: number;
  readonly quantity: number;
  readonly value: string;
}

/** What the meter shows of a period's events, in the order of their arrival: all of them looked at every time. */
export function naiveValue(gauge: NaiveGauge, readings: readonly NaiveReading[]): number {
  const quantities = readings.map(({ quantity }) => quantity);
  if (readings.length === 0) return 0;
  switch (gauge) {
    case 'max':
      return Math.max(...quantities);
    case 'min':
      return Math.min(...quantities);
    case 'avg':
      return quantities.reduce((a, b) => a + b, 0) / quantities.length;
    case 'latest': {
      const last = Math.max(...readings.map(({ at }) => at));
      return readings.filter(({ at }) => at === last).at(-1)?.quantity ?? 0;
    }
    case 'unique_count':
      return new Set(readings.map(({ value }) => value)).size;
  }
}
