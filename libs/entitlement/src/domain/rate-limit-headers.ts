import { MICROS, NANO } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Decision } from './decision';

interface Policy {
  readonly name: string;
  readonly quota: number | bigint;
  readonly windowSeconds: number | null;
  readonly resetSeconds: number | null;
}

/** `RateLimit-Policy` and `RateLimit` (IETF draft "RateLimit header fields for HTTP") for what refused the request. */
export function rateLimitHeaders(decision: Decision, now: Instant): Record<string, string> {
  const { name, quota, windowSeconds, resetSeconds } = policyOf(decision, now);
  const window = windowSeconds === null ? '' : `;w=${windowSeconds}`;
  const reset = resetSeconds === null ? '' : `;t=${resetSeconds}`;
  return {
    'RateLimit-Policy': `"${name}";q=${quota}${window}`,
    RateLimit: `"${name}";r=0${reset}`,
  };
}

function policyOf(decision: Decision, now: Instant): Policy {
  const { limit, feature, quota, resetAt } = decision;
  const resetSeconds = resetAt === null ? null : Math.max(1, Math.ceil((resetAt - now) / MICROS.second));
  if (limit?.verdict === 'rate_limited') {
    return {
      name: feature ?? 'rate',
      quota: limit.limit,
      windowSeconds: limit.windowSeconds,
      resetSeconds,
    };
  }
  if (limit?.verdict === 'concurrency_limited') {
    return { name: `${feature}.concurrency`, quota: limit.limit, windowSeconds: null, resetSeconds: null };
  }
  if (decision.reason === 'credit_held') {
    return { name: `${feature}.credit`, quota: 0, windowSeconds: null, resetSeconds: decision.retryAfter };
  }
  return {
    name: feature ?? 'quota',
    quota: (quota?.included ?? 0n) / NANO,
    windowSeconds: null,
    resetSeconds,
  };
}
