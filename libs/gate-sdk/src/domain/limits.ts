import type { LimitVerdict, TenantState } from '@tallygate/decision';
import type { Instant } from '@tallygate/kernel';
import { OpenRequests } from './open-requests';
import { RateLimiter, rateOf } from './rate-limiter';
import type { Rate } from './rate-limiter';

export interface LimitOptions {
  /** How many gates share the traffic: each lets its share of every rate pass. */
  readonly gates: number;
  /** After which a request that was never finished gives its slots back. */
  readonly longestOpenMs: number;
}

/** Who asks for what: a customer's features are limited each on its own. */
export interface Limited {
  readonly tenant: TenantState;
  readonly customerId: string;
  readonly features: readonly string[];
}

/** The limits of one tenant's customers at this gate: how often, and how many at once. */
export class Limits {
  private readonly rates = new RateLimiter();
  private readonly requests: OpenRequests;

  constructor(private readonly options: LimitOptions) {
    this.requests = new OpenRequests(options.longestOpenMs);
  }

  get inFlight(): number {
    return this.requests.size;
  }

  /** Verdicts of the features that are limited now; undefined when none is. Takes nothing. */
  verdicts(asked: Limited, now: Instant): ReadonlyMap<string, LimitVerdict> | undefined {
    let verdicts: Map<string, LimitVerdict> | undefined;
    for (const feature of asked.features) {
      const verdict = this.verdictOf(feature, asked, now);
      if (verdict === null) continue;
      verdicts ??= new Map();
      verdicts.set(feature, verdict);
    }
    return verdicts;
  }

  /** Uses up one request of each limited feature. */
  take({ tenant, customerId, features }: Limited, now: Instant): void {
    for (const feature of new Set(features)) {
      const rate = this.rateOf(tenant, feature);
      if (rate !== null) this.rates.take(keyOf(customerId, feature), rate, now);
    }
  }

  open({ customerId, features }: Limited, decisionId: string, name: string | null, nowMs: number): void {
    const slots = [...new Set(features)].map((feature) => keyOf(customerId, feature));
    this.requests.open({ decisionId, name, slots, openedMs: nowMs });
  }

  finish(decisionId: string | null, name: string | null): boolean {
    return this.requests.finish(decisionId, name);
  }

  /** Time comes before slots, as in the vocabulary. */
  private verdictOf(feature: string, { tenant, customerId }: Limited, now: Instant): LimitVerdict | null {
    const known = tenant.catalog?.features.get(feature);
    if (known === undefined || (known.rateLimit === null && known.concurrency === null)) return null;
    const key = keyOf(customerId, feature);
    const rate = this.rateOf(tenant, feature);
    const resetAt = rate === null ? null : this.rates.blockedUntil(key, rate, now);
    if (rate !== null && resetAt !== null) {
      const windowSeconds = rate.perMicros / 1_000_000;
      return { verdict: 'rate_limited', limit: rate.limit, windowSeconds, resetAt };
    }
    if (known.concurrency !== null && this.requests.inFlight(key) >= known.concurrency) {
      return { verdict: 'concurrency_limited', limit: known.concurrency };
    }
    return null;
  }

  private rateOf(tenant: TenantState, feature: string): Rate | null {
    const limit = tenant.catalog?.features.get(feature)?.rateLimit ?? null;
    if (limit === null) return null;
    const rate = rateOf(limit);
    if (this.options.gates === 1) return rate;
    return { limit: Math.max(1, Math.floor(rate.limit / this.options.gates)), perMicros: rate.perMicros };
  }
}

/** Whether any of the features is limited at all: most requests need look no further. */
export function isLimited(tenant: TenantState, features: readonly string[]): boolean {
  for (const feature of features) {
    const known = tenant.catalog?.features.get(feature);
    if (known !== undefined && (known.rateLimit !== null || known.concurrency !== null)) return true;
  }
  return false;
}

/** Customer ids are UUIDs, so a space cannot make two keys one. */
function keyOf(customerId: string, feature: string): string {
  return `${customerId} ${feature}`;
}
