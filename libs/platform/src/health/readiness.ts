import { within } from '../flow/timeout';

/** Something the service cannot work without, and what to do when it is missing. */
export interface ReadinessCheck {
  readonly name: string;
  /** Where it was looked for, without credentials. */
  readonly where: string;
  /** How to start it. */
  readonly start: string;
  readonly check: () => Promise<unknown>;
  /** The service can still answer without it: it is degraded, and takes requests. */
  readonly degrades?: boolean;
}

export interface Missing {
  readonly name: string;
  readonly where: string;
  readonly problem: string;
  readonly start: string;
  readonly degrades?: boolean;
}

const PATIENCE_MS = 2_000;

export async function missingOf(
  checks: readonly ReadinessCheck[],
  patienceMs = PATIENCE_MS,
): Promise<Missing[]> {
  const results = await Promise.all(checks.map((check) => missingPart(check, patienceMs)));
  return results.filter((result) => result !== null);
}

async function missingPart(
  { name, where, start, check, degrades }: ReadinessCheck,
  patienceMs: number,
): Promise<Missing | null> {
  try {
    await within(patienceMs, name, check());
    return null;
  } catch (error) {
    return {
      name,
      where,
      start,
      ...(degrades === true && { degrades }),
      problem: error instanceof Error ? error.message || error.name : String(error),
    };
  }
}

/** A connection URL without its credentials. */
export function whereOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
