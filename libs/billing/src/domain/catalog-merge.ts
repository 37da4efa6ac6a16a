import { catalogSchema } from '@tallygate/contracts';
import type { Catalog, Plan, Price } from '@tallygate/contracts';
import { formatInstant, invariant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';

/** What was applied so far and what is applied now, by key. Prices are a history: rows are only added. */
export function mergeCatalog(stored: Catalog, document: Catalog, now: Instant): Catalog {
  return {
    meters: byKey(stored.meters, document.meters),
    features: byKey(stored.features, document.features),
    prices: withRows(stored.prices, document.prices, now),
    plans: withVersions(stored.plans, document.plans),
    dunning_policies: byKey(stored.dunning_policies, document.dunning_policies),
    notification_rules: byKey(stored.notification_rules, document.notification_rules),
    coupons: byKey(stored.coupons, document.coupons),
  };
}

export const EMPTY_CATALOG: Catalog = catalogSchema.parse({});

function byKey<T extends { readonly key: string }>(stored: readonly T[], given: readonly T[]): T[] {
  const merged = new Map(stored.map((part) => [part.key, part]));
  for (const part of given) merged.set(part.key, part);
  return [...merged.values()];
}

/**
 * Adds rows to the history. The same row again is no new row, so applying a document twice changes nothing; a row
 * without `from` whose price differs from the one in force is in force from now on, and the past keeps its price.
 */
export function withRows(stored: readonly Price[], given: readonly Price[], now: Instant): Price[] {
  return given.reduce<Price[]>(
    (rows, row) => {
      const series = rows.filter((other) => seriesOf(other) === seriesOf(row));
      const from = row.from ?? (series.length === 0 ? undefined : formatInstant(now));
      const same =
        row.from === undefined
          ? inForce(series, now)
          : series.find((other) => startOf(other) === startOf(row));
      if (same !== undefined && priceBody(same) === priceBody(row)) return rows;
      return [...rows, { ...row, from }];
    },
    [...stored],
  );
}

/** Rows that would give one instant two prices: same key, match and start, another price. */
export function conflictingRows(stored: readonly Price[], given: readonly Price[]): Price[] {
  return given.filter((row) =>
    stored.some(
      (other) =>
        row.from !== undefined &&
        seriesOf(other) === seriesOf(row) &&
        startOf(other) === startOf(row) &&
        priceBody(other) !== priceBody(row),
    ),
  );
}

/**
 * New rows that hold from an instant that was asked for, or since always, under a key that was known: usage may have
 * been rated by other rows where they hold. A row from now on changes nothing that is there, so nobody need agree.
 * @param asked rows as they were given
 */
export function announcedRows(stored: Catalog, merged: Catalog, asked: readonly Price[]): Price[] {
  const known = new Set(stored.prices.map(({ key }) => key));
  return merged.prices
    .slice(stored.prices.length)
    .filter(
      (row) =>
        known.has(row.key) &&
        asked.some((other) => seriesOf(other) === seriesOf(row) && other.from === row.from),
    );
}

/** Of one key and match, the row with the latest start not after `now`. */
export function inForce(series: readonly Price[], now: Instant): Price | undefined {
  return series
    .filter((row) => startOf(row) <= now)
    .reduce<Price | undefined>(
      (latest, row) => (latest === undefined || startOf(row) >= startOf(latest) ? row : latest),
      undefined,
    );
}

function seriesOf(row: Price): string {
  return canonical([row.key, row.match]);
}

function startOf(row: Price): number {
  if (row.from === undefined) return Number.NEGATIVE_INFINITY;
  const parsed = parseInstant(row.from);
  invariant(parsed.ok, `Stored as an instant, but is none: ${row.from}`);
  return parsed.value;
}

function priceBody(row: Price): string {
  return canonical({ ...row, from: undefined });
}

/** A changed body is a new version; what was sold keeps its terms. A document may name a version, but not lower it. */
function withVersions(stored: readonly Plan[], given: readonly Plan[]): Plan[] {
  const merged = new Map(stored.map((plan) => [plan.key, plan]));
  for (const plan of given) merged.set(plan.key, versioned(merged.get(plan.key), plan));
  return [...merged.values()];
}

function versioned(stored: Plan | undefined, given: Plan): Plan {
  const present = stored?.version ?? 0;
  if (stored !== undefined && body(stored) === body(given))
    return { ...stored, version: Math.max(present, given.version ?? 0) };
  return { ...given, version: Math.max(present + 1, given.version ?? 0) };
}

function body(plan: Plan): string {
  return canonical({ ...plan, version: undefined });
}

/** JSON with sorted keys and without what is undefined: equal texts mean equal values. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part)
            .filter(([, inner]) => inner !== undefined)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        )
      : part,
  );
}
