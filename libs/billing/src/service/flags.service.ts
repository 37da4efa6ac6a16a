import { Injectable } from '@nestjs/common';
import type { Instant } from '@tallygate/kernel';
import type { Flags } from '../domain';
import { BillingFacts } from './billing-facts';
import { AuditLog, CustomerStore, FlagStore } from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export interface Override {
  readonly until: Instant | null;
  readonly author: string;
  readonly reason: string;
}

/** What administrators lay over the billing state. Null answers: no such customer. */
@Injectable()
export class CustomerFlags {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly customers: CustomerStore,
    private readonly store: FlagStore,
    private readonly facts: BillingFacts,
    private readonly audit: AuditLog,
  ) {}

  override(caller: Caller, key: string, override: Override | null): Promise<Flags | null> {
    const action = override === null ? 'override.removed' : 'override.set';
    return this.change(caller, key, action, (flags) => ({ ...flags, override }));
  }

  review(caller: Caller, key: string, underReview: boolean): Promise<Flags | null> {
    const action = underReview ? 'review.opened' : 'review.cleared';
    return this.change(caller, key, action, (flags) => ({ ...flags, underReview }));
  }

  decideFeature(
    caller: Caller,
    key: string,
    feature: string,
    decision: 'approved' | 'rejected',
  ): Promise<Flags | null> {
    return this.change(caller, key, `feature.${decision}`, (flags) => ({
      ...flags,
      approvals: { ...flags.approvals, [feature]: decision },
    }));
  }

  find(caller: Caller, key: string): Promise<Flags | null> {
    return this.sessions.read(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      return customer === null ? null : this.store.find(session, customer.id);
    });
  }

  /** Overrides that end by now. */
  async expire(session: Session, limit: number): Promise<number> {
    const due = await this.store.due(session, limit);
    for (const customerId of due) {
      const flags = await this.store.find(session, customerId);
      await this.save(session, customerId, { ...flags, override: null });
    }
    return due.length;
  }

  private change(
    caller: Caller,
    key: string,
    action: string,
    edit: (flags: Flags) => Flags,
  ): Promise<Flags | null> {
    return this.sessions.change(caller, async (session) => {
      const customer = await this.customers.byKey(session, key);
      if (customer === null) return null;
      const saved = await this.save(session, customer.id, edit(await this.store.find(session, customer.id)));
      await this.audit.record(session, { action, target: key });
      return saved;
    });
  }

  private async save(session: Session, customerId: string, edited: Flags): Promise<Flags> {
    const flags = { ...edited, version: edited.version + 1 };
    await this.store.save(session, customerId, flags);
    await this.facts.flags(session, customerId, flags);
    return flags;
  }
}
