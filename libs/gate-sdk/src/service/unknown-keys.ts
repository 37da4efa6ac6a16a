import type { DecisionRequest, Identity } from '@tallygate/decision';
import type { Clock, Instant } from '@tallygate/kernel';
import { MICROS } from '@tallygate/kernel';
import type { LiveAnswer, LiveCheck } from './live-check';

export interface UnknownKeyOptions {
  /** How long a request may wait for the service. */
  readonly withinMs: number;
  /** More questions at once than these are not asked: a flood of made-up keys must not become a flood of checks. */
  readonly mostAtOnce: number;
  /** False while the gate is cut off from the service. */
  readonly canAsk: () => boolean;
}

const REFUSED_FOR_MICROS = MICROS.second;
const MOST_REMEMBERED = 10_000;

/**
 * Keys that the copy does not hold: one bounded question to the service for all requests that wait for the same answer,
 * and for a second the memory of keys that nobody has.
 */
export class UnknownKeys {
  private readonly refused = new Map<string, Instant>();
  private readonly asking = new Map<string, Promise<LiveAnswer | null>>();
  /** Questions that got no answer in time. */
  unanswered = 0;
  asked = 0;

  constructor(
    private readonly live: LiveCheck | null,
    private readonly clock: Clock,
    private readonly options: UnknownKeyOptions,
  ) {}

  /** Whether the service said within the last second that nobody has this key. */
  isRefused({ tenantId, identity }: DecisionRequest): boolean {
    if (this.refused.size === 0) return false;
    const until = this.refused.get(keyOf(tenantId, identity));
    return until !== undefined && this.clock.now() < until;
  }

  /** Null: the service could not be asked. */
  async ask(request: DecisionRequest): Promise<LiveAnswer | null> {
    const key = keyOf(request.tenantId, request.identity);
    const question = `${key} ${request.features.join(',')} ${request.units} ${request.maxPrice}`;
    const asking = this.asking.get(question) ?? this.start(key, question, request);
    return asking;
  }

  private async start(key: string, question: string, request: DecisionRequest): Promise<LiveAnswer | null> {
    if (this.live === null || !this.options.canAsk() || this.asking.size >= this.options.mostAtOnce)
      return null;
    this.asked += 1;
    const asking = this.live.check(request, this.options.withinMs).catch(() => null);
    this.asking.set(question, asking);
    const answer = await asking;
    this.asking.delete(question);
    if (answer === null) this.unanswered += 1;
    if (answer?.reason === 'credential_unknown') this.remember(key);
    return answer;
  }

  private remember(key: string): void {
    this.refused.delete(key);
    this.refused.set(key, (this.clock.now() + REFUSED_FOR_MICROS) as Instant);
    const [oldest] = this.refused.keys();
    if (this.refused.size > MOST_REMEMBERED && oldest !== undefined) this.refused.delete(oldest);
  }
}

function keyOf(tenantId: string | null, identity: Identity): string {
  switch (identity.kind) {
    case 'none':
      return `${tenantId} none`;
    case 'credential':
      return `${tenantId} c ${identity.hash}`;
    case 'customer':
      return `${tenantId} k ${identity.key}`;
    case 'subject':
      return `${tenantId} s ${identity.subject}`;
  }
}
