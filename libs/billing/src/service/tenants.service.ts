import { Injectable } from '@nestjs/common';
import type { TenantSettings } from '@tallygate/contracts';
import { Clock, formatInstant, Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Database, TenantTime } from '@tallygate/platform';
import type { Scope } from '@tallygate/platform';
import { DEFAULT_SETTINGS } from '../domain';
import type { ApiKey, Tenant } from '../domain';
import { BillingFacts } from './billing-facts';
import { ApiKeyStore, AuditLog, Secrets, TenantStore } from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller } from './tenant-session';
import { TestClockStore } from './test-clock.ports';

export interface NewTenant {
  readonly name: string;
  readonly mode: 'test' | 'live';
  readonly timezone: string;
  readonly currency: string;
  /** Start of a test tenant's virtual clock; null follows the system clock. */
  readonly clock: Instant | null;
  readonly settings: Partial<TenantSettings>;
}

/** A key as it is shown once: the secret is kept nowhere. */
export interface IssuedKey {
  readonly id: string;
  readonly secret: string;
}

/** Providers and their keys. */
@Injectable()
export class Tenants {
  constructor(
    private readonly database: Database,
    private readonly sessions: TenantSessions,
    private readonly tenants: TenantStore,
    private readonly keys: ApiKeyStore,
    private readonly clocks: TestClockStore,
    private readonly time: TenantTime,
    private readonly facts: BillingFacts,
    private readonly audit: AuditLog,
    private readonly secrets: Secrets,
    private readonly ids: Ids,
    private readonly clock: Clock,
  ) {}

  /** The first key may do everything; it makes the others. */
  async create(wanted: NewTenant): Promise<{ readonly tenant: Tenant; readonly key: IssuedKey }> {
    const tenant = this.newTenant(wanted);
    const caller = { tenantId: tenant.id, actor: 'root' };
    await this.database.asTenant(tenant.id, async (tx) => {
      await this.tenants.insert(tx, tenant);
      if (wanted.clock !== null) await this.clocks.start(tx, tenant.id, wanted.clock);
    });
    // The clock stands before the first fact is stated, so that it is stated at the tenant's own time.
    if (wanted.clock !== null) await this.time.set(tenant.id, wanted.clock);
    const key = await this.sessions.change(caller, async (session) => {
      await this.facts.tenant(session, tenant);
      const issued = this.newKey(tenant, ['admin']);
      await this.keys.insert(session.tx, issued.key, this.clock.now());
      await this.audit.record(session, { action: 'tenant.created', target: tenant.id });
      return { id: issued.key.id, secret: issued.secret };
    });
    return { tenant, key };
  }

  find(caller: Caller): Promise<Tenant> {
    return this.sessions.read(caller, async ({ tenant }) => tenant);
  }

  issueKey(caller: Caller, scopes: readonly Scope[]): Promise<IssuedKey> {
    return this.sessions.change(caller, async (session) => {
      const { key, secret } = this.newKey(session.tenant, scopes);
      await this.keys.insert(session.tx, key, this.clock.now());
      await this.audit.record(session, { action: 'api_key.issued', target: key.id, detail: { scopes } });
      return { id: key.id, secret };
    });
  }

  /** @returns false when there is no such key in force */
  revokeKey(caller: Caller, id: string): Promise<boolean> {
    return this.sessions.change(caller, async (session) => {
      const revoked = await this.keys.revoke(session, id);
      if (revoked) await this.audit.record(session, { action: 'api_key.revoked', target: id });
      return revoked;
    });
  }

  private newTenant({ clock, settings, ...rest }: NewTenant): Tenant {
    return {
      ...rest,
      id: this.ids.next(),
      settings: { ...DEFAULT_SETTINGS, ...settings },
      clock: clock === null ? null : formatInstant(clock),
    };
  }

  /** The mode is part of the key's text too, so that a person sees which world it opens. */
  private newKey({ id, mode }: Tenant, scopes: readonly string[]): { key: ApiKey; secret: string } {
    const secret = this.secrets.create(`tg_${mode}`);
    return {
      key: { id: this.ids.next(), tenantId: id, mode, hash: this.secrets.hash(secret), scopes },
      secret,
    };
  }
}
