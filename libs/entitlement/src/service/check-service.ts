import { Injectable } from '@nestjs/common';
import { Clock, Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { decide, quotaAt, resolveIdentity, tokenOf } from '../domain';
import type { AnswerContext, Decision, DecisionRequest } from '../domain';
import { FeedFollower } from './feed-follower';
import { FeedHub } from './feed-hub';

export interface Checked {
  readonly decision: Decision;
  readonly context: AnswerContext;
}

export type EntitlementView =
  | { readonly outcome: 'unknown_customer' }
  | {
      readonly outcome: 'known';
      readonly decision: Decision;
      readonly quota: ReturnType<typeof quotaAt>;
    };

/** Decides from the service's own copy, which is never stale; uses nothing up. */
@Injectable()
export class CheckService {
  constructor(
    private readonly hub: FeedHub,
    private readonly follower: FeedFollower,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** A key that is not here may have been committed a moment ago: looked for once more before it is called unknown. */
  async check(request: DecisionRequest): Promise<Checked> {
    if (!this.knows(request)) await this.follower.caughtUp();
    return this.answer(request);
  }

  async entitlement(tenantId: string, customer: string, feature: string): Promise<EntitlementView> {
    const request: DecisionRequest = {
      tenantId,
      identity: { kind: 'customer', key: customer },
      features: [feature],
      units: ONE,
      maxPrice: null,
    };
    const { decision } = await this.check(request);
    const state = decision.customer;
    if (state === null) return { outcome: 'unknown_customer' };
    const known = decision.tenant?.catalog?.features.get(feature);
    const quota = known === undefined ? null : quotaAt(known, state, this.nowOf(tenantId));
    return { outcome: 'known', decision, quota };
  }

  private knows(request: DecisionRequest): boolean {
    const around = { now: this.clock.now(), feedAgeMicros: 0, unknown: 'does_not_exist' } as const;
    const found = resolveIdentity(this.hub.state, request, around);
    return found.kind === 'resolved' || found.customer !== null;
  }

  private answer(request: DecisionRequest): Checked {
    const now = this.nowOf(request.tenantId);
    const decision = decide(this.hub.state, request, {
      now,
      feedAgeMicros: 0,
      leases: 'not_required',
      unknown: 'does_not_exist',
    });
    const context = {
      decisionId: this.ids.next(),
      snapshotRevision: tokenOf(this.hub.position),
      asOf: now,
      now,
    };
    return { decision, context };
  }

  private nowOf(tenantId: string | null): Instant {
    return (tenantId === null ? null : this.hub.state.clockOf(tenantId)) ?? this.clock.now();
  }
}

const ONE = 1_000_000_000n;
