import type { BillingGateReason } from '@tallygate/contracts';
import type { DecisionRequest } from '@tallygate/decision';
import { formatAmount } from '@tallygate/kernel';
import { LiveCheck, WARMING, WARMING_MS } from '../service/live-check';
import type { LiveAnswer } from '../service/live-check';
import type { HttpAddress } from './http-feed';

interface CheckJson {
  readonly allowed: boolean;
  readonly status: number;
  readonly reason: BillingGateReason;
  readonly decision_id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A check by `POST /v1/check`, where gRPC does not get through. */
export class HttpLiveCheck extends LiveCheck {
  constructor(private readonly address: HttpAddress) {
    super();
  }

  override async check(request: DecisionRequest, withinMs: number): Promise<LiveAnswer | null> {
    const stop = new AbortController();
    const timer = setTimeout(() => setImmediate(() => stop.abort()), withinMs);
    const answer = await this.ask(request, stop.signal).catch(() => null);
    clearTimeout(timer);
    return answer;
  }

  override warm(): void {
    void this.check(WARMING, WARMING_MS);
  }

  override close(): void {}

  private async ask(request: DecisionRequest, signal: AbortSignal): Promise<LiveAnswer | null> {
    const response = await fetch(`${this.address.url}/v1/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.address.credential}`, 'content-type': 'application/json' },
      body: JSON.stringify(bodyOf(request)),
      signal,
    });
    if (!response.ok) return null;
    const {
      allowed,
      status,
      reason,
      decision_id: decisionId,
      headers,
      body,
    } = (await response.json()) as CheckJson;
    const problem = body === null ? '' : JSON.stringify(body);
    return { allow: allowed, status, reason, decisionId, headers, problem };
  }
}

function bodyOf({ tenantId, identity, features, units, maxPrice, groups }: DecisionRequest): object {
  return {
    tenant_id: tenantId ?? undefined,
    credential_sha256: identity.kind === 'credential' ? identity.hash : undefined,
    customer: identity.kind === 'customer' ? identity.key : undefined,
    subject: identity.kind === 'subject' ? identity.subject : undefined,
    features,
    units: formatAmount(units),
    max_price: maxPrice === null ? undefined : formatAmount(maxPrice),
    groups,
  };
}
