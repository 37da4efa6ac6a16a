import { Injectable } from '@nestjs/common';
import type {
  BillingEvent,
  CustomerFacts,
  DunningEvent,
  LedgerEvent,
  SpendFacts,
} from '@tallygate/contracts';
import { formatInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Directory } from '@tallygate/directory';
import { Database, TenantTime } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { catalogEntryOf, credentialEntryOf, customerEntryOf, tenantEntryOf } from '../domain';
import type { EntryKind } from '../domain';
import { EntryStore } from './entry-store';
import type { EntryDraft } from './entry-store';
import { FactStore } from './fact-store';
import type { AppliedFact, CustomerRef, Fact } from './fact-store';
import { FeedFollower } from './feed-follower';

type Intake = BillingEvent | LedgerEvent | DunningEvent;

/** What one slice of facts changed: kept and compiled once at its end, however often it was touched. */
class Touched {
  private readonly facts = new Map<string, Fact>();
  private readonly customers = new Map<string, CustomerRef>();
  private readonly drafts = new Map<string, EntryDraft>();

  /** Only the latest of a thing counts; of two of one version the first. */
  fact(fact: Fact): void {
    const name = `${fact.tenantId} ${fact.customerId} ${fact.kind} ${fact.key}`;
    const known = this.facts.get(name);
    if (known === undefined || fact.version > known.version) this.facts.set(name, fact);
  }

  customer(ref: CustomerRef): void {
    this.customers.set(`${ref.tenantId} ${ref.customerId}`, ref);
  }

  draft(draft: EntryDraft): void {
    this.drafts.set(`${draft.tenantId} ${draft.kind} ${draft.key}`, draft);
  }

  get latestFacts(): readonly Fact[] {
    return [...this.facts.values()];
  }

  get customersToCompile(): readonly CustomerRef[] {
    return [...this.customers.values()];
  }

  get entries(): readonly EntryDraft[] {
    return [...this.drafts.values()];
  }
}

/**
 * Turns facts of other services into entries of the feed. One transaction per slice, the feed locked first: two slices
 * about one customer, from two topics, would otherwise each compile without the other's fact.
 */
@Injectable()
export class FactIntake {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly time: TenantTime,
    private readonly facts: FactStore,
    private readonly entries: EntryStore,
    private readonly follower: FeedFollower,
  ) {}

  async take(events: readonly Intake[]): Promise<void> {
    await this.database.asWorker(async (tx) => {
      await this.entries.lock(tx);
      const touched = new Touched();
      for (const event of events) await this.apply(tx, event, touched);
      for (const news of await this.facts.apply(tx, touched.latestFacts)) await this.touch(tx, news, touched);
      await this.compileCustomers(tx, touched);
      await this.entries.write(tx, touched.entries);
    });
    this.follower.wake();
  }

  /** A test tenant's virtual now as an entry; nothing for a tenant that lives on the system clock. */
  async announceClock(tenantId: string, now: Instant): Promise<void> {
    await this.database.asWorker(async (tx) => {
      const tenant = await this.directory.tenant(tx, tenantId);
      if (tenant === null || tenant.clock === null) return;
      await this.entries.lock(tx);
      await this.entries.write(tx, [draft(tenantId, 'clock', 'clock', null, { now: formatInstant(now) })]);
    });
    this.follower.wake();
  }

  private async apply(tx: Tx, event: Intake, touched: Touched): Promise<void> {
    const { tenantId } = event;
    switch (event.type) {
      case 'tenant.changed':
      case 'catalog.applied':
      case 'customer.changed':
      case 'subscription.changed':
        await this.directory.apply(tx, event);
        return this.applyDirectory(tx, event, touched);
      default: {
        const fact = factOf(event);
        if (fact !== null) touched.fact({ ...fact, tenantId });
      }
    }
  }

  /** Compiled from what the directory holds afterwards, so that an outdated fact changes nothing. */
  private async applyDirectory(
    tx: Tx,
    event: Extract<
      BillingEvent,
      { type: 'tenant.changed' | 'catalog.applied' | 'customer.changed' | 'subscription.changed' }
    >,
    touched: Touched,
  ): Promise<void> {
    const { tenantId } = event;
    switch (event.type) {
      case 'tenant.changed':
        return this.compileTenant(tx, tenantId, touched);
      case 'catalog.applied':
        return this.compileCatalog(tx, tenantId, touched);
      case 'customer.changed':
        touched.customer({ tenantId, customerId: event.data.customer.id });
        return this.compileCredentials(tx, tenantId, event.data.customer.id, touched);
      case 'subscription.changed':
        touched.customer({ tenantId, customerId: event.data.subscription.customerId });
        return;
    }
  }

  private async compileTenant(tx: Tx, tenantId: string, touched: Touched): Promise<void> {
    const tenant = await this.directory.tenant(tx, tenantId);
    if (tenant === null) return;
    touched.draft(draft(tenantId, 'tenant', 'tenant', null, tenantEntryOf(tenant)));
    if (tenant.clock === null) return;
    const now = formatInstant(await this.time.now(tenantId, tx));
    touched.draft(draft(tenantId, 'clock', 'clock', null, { now }));
  }

  private async compileCatalog(tx: Tx, tenantId: string, touched: Touched): Promise<void> {
    const known = await this.directory.catalog(tx, tenantId);
    if (known === null) return;
    const entry = catalogEntryOf(known.revision, known.catalog);
    touched.draft(draft(tenantId, 'catalog', 'catalog', null, entry));
  }

  private async compileCredentials(
    tx: Tx,
    tenantId: string,
    customerId: string,
    touched: Touched,
  ): Promise<void> {
    const customer = await this.directory.customerById(tx, tenantId, customerId);
    if (customer === null) return;
    const gone = new Set(await this.entries.credentialKeys(tx, tenantId, customerId));
    for (const key of customer.apiKeys) {
      gone.delete(key.hash);
      touched.draft(draft(tenantId, 'credential', key.hash, customerId, credentialEntryOf(customerId, key)));
    }
    for (const hash of gone) touched.draft(removal(tenantId, hash, customerId));
  }

  private async touch(tx: Tx, news: AppliedFact, touched: Touched): Promise<void> {
    touched.customer(news);
    if (!concernsChildren(news)) return;
    for (const child of await this.facts.children(tx, news)) touched.customer(child);
  }

  private async compileCustomers(tx: Tx, touched: Touched): Promise<void> {
    for (const loaded of await this.facts.load(tx, touched.customersToCompile)) {
      const { id }: CustomerFacts = loaded.customer;
      touched.draft(draft(loaded.tenantId, 'customer', id, id, customerEntryOf(loaded)));
    }
  }
}

function draft(
  tenantId: string,
  kind: EntryKind,
  key: string,
  ownerId: string | null,
  payload: object,
): EntryDraft {
  return { tenantId, kind, key, ownerId, payload: JSON.stringify(payload), removed: false };
}

function removal(tenantId: string, hash: string, ownerId: string): EntryDraft {
  return { tenantId, kind: 'credential', key: hash, ownerId, payload: '', removed: true };
}

/** A payer's standing and payment method decide for its children too. */
function concernsChildren({ kind }: Pick<Fact, 'kind'>): boolean {
  return kind === 'collection' || kind === 'method';
}

/** Facts kept per customer; null for events that say nothing about access. */
function factOf(event: Intake): Omit<Fact, 'tenantId'> | null {
  switch (event.type) {
    case 'balance.changed':
      return { ...head(event.data), kind: 'balance', key: event.data.unit, facts: event.data };
    case 'quota.changed':
      return { ...head(event.data), kind: 'quota', key: event.data.feature, facts: event.data };
    case 'spend.changed':
      return { ...head(event.data), kind: 'spend', key: spendKey(event.data), facts: event.data };
    case 'collection.changed':
      return { ...head(event.data), kind: 'collection', key: '', facts: event.data };
    case 'customer.flags_changed':
      return { ...head(event.data), kind: 'flags', key: '', facts: event.data };
    case 'payment_method.changed':
      return { ...head(event.data), kind: 'method', key: '', facts: { present: event.data.method !== null } };
    default:
      return null;
  }
}

/** A feature has a cap for each period; keys of the catalog hold no space. */
function spendKey({ feature, per }: SpendFacts): string {
  return per === undefined ? feature : `${feature} ${per}`;
}

function head({ customerId, version }: { readonly customerId: string; readonly version: number }) {
  return { customerId, version };
}
