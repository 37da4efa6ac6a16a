import { decide, resolveIdentity } from '@tallygate/decision';
import type { AnswerContext, Circumstances, Decision, DecisionRequest, FeedState } from '@tallygate/decision';
import type { Clock, Ids, Instant } from '@tallygate/kernel';
import { addMicros } from '@tallygate/kernel';
import type { FeedClock } from '../domain/feed-clock';
import type { GateRequest } from '../domain/gate-request';
import { Limits, isLimited } from '../domain/limits';
import type { LimitOptions, Limited } from '../domain/limits';
import type { TenantClocks } from '../domain/tenant-clocks';
import { verdictOf } from '../domain/verdict';
import type { Verdict } from '../domain/verdict';
import type { FeedCopy } from './feed-copy';
import type { LiveAnswer } from './live-check';
import type { UnknownKeys } from './unknown-keys';

export interface GateParts {
  readonly copy: FeedCopy;
  readonly feedClock: FeedClock;
  readonly tenantClocks: TenantClocks;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly unknown: UnknownKeys;
  readonly limits: LimitOptions;
  readonly feedIsUp: () => boolean;
}

/** `use`: rate limits and slots are taken. `look`: nothing is. */
export type Mode = 'use' | 'look';

/** No feed was ever heard of: older than anything. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Decides in process. A known key is answered at once; only an unknown one waits, and that for a bounded time. */
export class Gate {
  private readonly limits = new Map<string, Limits>();

  constructor(private readonly parts: GateParts) {}

  decide(request: GateRequest, mode: Mode): Verdict | Promise<Verdict> {
    const refused = this.parts.unknown.isRefused(request) ? 'does_not_exist' : 'not_checked';
    const verdict = this.decideNow(request, mode, refused);
    if (verdict.reason !== 'entitlement_unknown') return verdict;
    return this.askAndDecide(request, mode);
  }

  /** Gives back the slots of a request; by its decision's id, or by the name under which it was opened. */
  finish(tenantId: string | null, decisionId: string | null, name: string | null): boolean {
    const tenant = this.tenantOf(tenantId);
    if (tenant === null) return false;
    return this.limits.get(tenant)?.finish(decisionId, name) ?? false;
  }

  /** Requests that keep a slot now. */
  get inFlight(): number {
    let sum = 0;
    for (const limits of this.limits.values()) sum += limits.inFlight;
    return sum;
  }

  private async askAndDecide(request: GateRequest, mode: Mode): Promise<Verdict> {
    const answer = await this.parts.unknown.ask(request);
    if (answer?.reason === 'credential_unknown') return this.decideNow(request, mode, 'does_not_exist');
    // The entry that was missing may have come meanwhile; then limits apply too.
    const verdict = this.decideNow(request, mode, 'not_checked');
    return verdict.reason === 'entitlement_unknown' && answer !== null
      ? remoteVerdict(request, answer)
      : verdict;
  }

  private decideNow(request: GateRequest, mode: Mode, unknown: Circumstances['unknown']): Verdict {
    const { state } = this.parts.copy;
    const { now, feedAgeMicros } = this.around(state, request.tenantId);
    const limited = state === null ? null : limitedBy(state, request, now);
    const limits = limited === null ? null : this.limitsOf(limited.tenant.id);
    const decision = decide(state, request, {
      now,
      feedAgeMicros,
      unknown,
      limits: limited === null ? undefined : limits?.verdicts(limited, now),
    });
    const context = this.context(request, now, feedAgeMicros);
    if (decision.allow && mode === 'use') {
      if (limited !== null) limits?.take(limited, now);
      if (request.open !== undefined) this.keepOpen(request, decision, context.decisionId);
    }
    return verdictOf(request, decision, context);
  }

  private keepOpen(
    { open, features }: GateRequest,
    { tenant, customer }: Decision,
    decisionId: string,
  ): void {
    if (tenant === null || customer === null) return;
    const limited = { tenant, customerId: customer.id, features };
    const nowMs = this.parts.clock.now() / 1_000;
    this.limitsOf(tenant.id).open(limited, decisionId, open === true ? null : (open ?? null), nowMs);
  }

  private context({ path }: GateRequest, now: Instant, age: number): AnswerContext {
    return {
      decisionId: this.parts.ids.next(),
      snapshotRevision: this.parts.copy.token,
      asOf: age === 0 || age > now ? now : addMicros(now, -age),
      now,
      instance: path,
    };
  }

  private around(
    state: FeedState | null,
    named: string | null,
  ): { readonly now: Instant; readonly feedAgeMicros: number } {
    const { clock, feedClock, tenantClocks, feedIsUp } = this.parts;
    const tenantId = named ?? state?.soleTenant()?.id ?? null;
    const virtual = tenantId === null ? null : tenantClocks.moment(state, tenantId, feedIsUp());
    if (virtual !== null) return { now: virtual.now, feedAgeMicros: virtual.feedAge };
    const local = clock.now();
    return { now: feedClock.now(local), feedAgeMicros: feedClock.age(local) ?? NEVER };
  }

  private tenantOf(named: string | null): string | null {
    return named ?? this.parts.copy.state?.soleTenant()?.id ?? null;
  }

  private limitsOf(tenantId: string): Limits {
    const known = this.limits.get(tenantId);
    if (known !== undefined) return known;
    const limits = new Limits(this.parts.limits);
    this.limits.set(tenantId, limits);
    return limits;
  }
}

/** Null where no limit can apply: no limited feature is asked for, or nobody known asks. */
function limitedBy(state: FeedState, request: DecisionRequest, now: Instant): Limited | null {
  const tenant = request.tenantId === null ? state.soleTenant() : state.tenant(request.tenantId);
  if (tenant === undefined || !isLimited(tenant, request.features)) return null;
  const found = resolveIdentity(state, request, { now, feedAgeMicros: 0, unknown: 'not_checked' });
  if (found.kind === 'refused') return null;
  return { tenant, customerId: found.customer.id, features: request.features };
}

function remoteVerdict(request: GateRequest, answer: LiveAnswer): Verdict {
  const { allow, status, reason, decisionId, headers, problem } = answer;
  return { allow, status, reason, decisionId, request, local: null, remote: { headers, problem } };
}
