import type { Instant } from '@tallygate/kernel';
import {
  compileCatalog,
  compileCredential,
  compileCustomer,
  compileTenant,
  moment,
  SharedPlanFeatures,
} from './compile';
import { Digest, EMPTY_DIGEST } from './digest';
import { isEntryKind } from './entries';
import type { FeedEntry, LiveEntry, OpaqueEntry } from './entries';
import type { CatalogState, CredentialState, CustomerCell, CustomerState, TenantTerms } from './state';

let copies = 0;

/** One tenant's applied entries, indexed by what a request may carry. */
export class TenantState {
  terms: TenantTerms | null = null;
  catalog: CatalogState | null = null;
  clock: { readonly version: number; readonly now: Instant } | null = null;
  readonly customers = new Map<string, CustomerState>();
  readonly customersByKey = new Map<string, CustomerState>();
  readonly customersBySubject = new Map<string, CustomerState>();
  readonly credentials = new Map<string, CredentialState>();
  readonly digest = new Digest();
  /** Versions of entries of kinds that this code does not know. */
  readonly opaque = new Map<string, number>();
  /** Versions of what was removed, so that a late, older entry does not bring it back. */
  readonly tombstones = new Map<string, number>();

  readonly plans = new SharedPlanFeatures();

  /** Differs from every other tenant's and every other copy's in the process. */
  readonly copy = (copies += 1);

  private readonly cells = new Map<string, CustomerCell>();

  constructor(readonly id: string) {}

  cellOf(customerId: string): CustomerCell {
    const known = this.cells.get(customerId);
    if (known !== undefined) return known;
    const cell: CustomerCell = { current: this.customers.get(customerId) ?? null };
    this.cells.set(customerId, cell);
    return cell;
  }
}

/**
 * What a gate (or the service) knows: the set of applied entries, ready to decide on.
 * Law: whatever the order and the repetition in which entries arrive, the same set of entries ends in the same state
 * and the same digest, because an entry is applied only when its version is higher than the one known.
 */
export class FeedState {
  private readonly tenants = new Map<string, TenantState>();
  private readonly whole = new Digest();
  private count = 0;

  /** Entries that are not removed. */
  get size(): number {
    return this.count;
  }

  tenant(tenantId: string): TenantState | undefined {
    return this.tenants.get(tenantId);
  }

  tenantIds(): Iterable<string> {
    return this.tenants.keys();
  }

  /** The only tenant there is; undefined when there are several, so that a request must name one. */
  soleTenant(): TenantState | undefined {
    return this.tenants.size === 1 ? this.tenants.values().next().value : undefined;
  }

  /** Applies an entry when it is newer than what is known; false when it is not. */
  apply(entry: FeedEntry): boolean {
    const tenant = this.tenantFor(entry.tenantId);
    const kind = kindOf(entry);
    const known = versionOf(tenant, kind, entry.key);
    const buried = tenant.tombstones.get(tombstoneKey(entry));
    if (entry.version <= Math.max(known ?? 0, buried ?? 0)) return false;
    if (known !== undefined) this.drop(tenant, kind, entry.key, known);
    if (entry.removed) {
      tenant.tombstones.set(tombstoneKey(entry), entry.version);
    } else {
      if (buried !== undefined) tenant.tombstones.delete(tombstoneKey(entry));
      this.put(tenant, entry);
    }
    return true;
  }

  /** Over the entries of one tenant, or of all. */
  digest(tenantId: string | null = null): string {
    if (tenantId === null) return this.whole.toString();
    return this.tenants.get(tenantId)?.digest.toString() ?? EMPTY_DIGEST;
  }

  /** The tenant's virtual now; null for a tenant that lives on the system clock. */
  clockOf(tenantId: string): Instant | null {
    return this.tenants.get(tenantId)?.clock?.now ?? null;
  }

  private tenantFor(tenantId: string): TenantState {
    const known = this.tenants.get(tenantId);
    if (known !== undefined) return known;
    const tenant = new TenantState(tenantId);
    this.tenants.set(tenantId, tenant);
    return tenant;
  }

  private put(tenant: TenantState, entry: LiveEntry | OpaqueEntry): void {
    insert(tenant, entry);
    this.toggle(tenant, kindOf(entry), entry.key, entry.version);
    this.count += 1;
  }

  private drop(tenant: TenantState, kind: string, key: string, version: number): void {
    erase(tenant, kind, key);
    this.toggle(tenant, kind, key, version);
    this.count -= 1;
  }

  private toggle(tenant: TenantState, kind: string, key: string, version: number): void {
    tenant.digest.toggle(tenant.id, kind, key, version);
    this.whole.toggle(tenant.id, kind, key, version);
  }
}

function kindOf(entry: FeedEntry): string {
  return entry.kind === 'unknown' && !entry.removed ? entry.as : entry.kind;
}

function tombstoneKey(entry: FeedEntry): string {
  return `${kindOf(entry)} ${entry.key}`;
}

function versionOf(tenant: TenantState, kind: string, key: string): number | undefined {
  if (!isEntryKind(kind)) return tenant.opaque.get(`${kind} ${key}`);
  switch (kind) {
    case 'tenant':
      return tenant.terms?.version;
    case 'catalog':
      return tenant.catalog?.version;
    case 'clock':
      return tenant.clock?.version;
    case 'customer':
      return tenant.customers.get(key)?.version;
    case 'credential':
      return tenant.credentials.get(key)?.version;
  }
}

function insert(tenant: TenantState, entry: LiveEntry | OpaqueEntry): void {
  switch (entry.kind) {
    case 'unknown':
      tenant.opaque.set(`${entry.as} ${entry.key}`, entry.version);
      return;
    case 'tenant':
      tenant.terms = compileTenant(entry.payload, entry.version);
      return;
    case 'catalog':
      tenant.catalog = compileCatalog(entry.payload, entry.version);
      return;
    case 'clock':
      tenant.clock = { version: entry.version, now: moment(entry.payload.now) };
      return;
    case 'credential':
      tenant.credentials.set(
        entry.key,
        compileCredential(entry.payload, entry.version, tenant.cellOf(entry.payload.customerId)),
      );
      return;
    case 'customer':
      insertCustomer(tenant, compileCustomer(entry.payload, entry.version, tenant.plans));
      return;
  }
}

function insertCustomer(tenant: TenantState, customer: CustomerState): void {
  tenant.customers.set(customer.id, customer);
  tenant.cellOf(customer.id).current = customer;
  tenant.customersByKey.set(customer.key, customer);
  for (const subject of customer.subjects) tenant.customersBySubject.set(subject, customer);
}

function erase(tenant: TenantState, kind: string, key: string): void {
  if (!isEntryKind(kind)) {
    tenant.opaque.delete(`${kind} ${key}`);
    return;
  }
  switch (kind) {
    case 'tenant':
      tenant.terms = null;
      return;
    case 'catalog':
      tenant.catalog = null;
      return;
    case 'clock':
      tenant.clock = null;
      return;
    case 'credential':
      eraseCredential(tenant, key);
      return;
    case 'customer':
      eraseCustomer(tenant, key);
      return;
  }
}

function eraseCredential(tenant: TenantState, hash: string): void {
  const credential = tenant.credentials.get(hash);
  if (credential === undefined) return;
  credential.erased = true;
  tenant.credentials.delete(hash);
}

function eraseCustomer(tenant: TenantState, id: string): void {
  const customer = tenant.customers.get(id);
  if (customer === undefined) return;
  tenant.customers.delete(id);
  tenant.cellOf(id).current = null;
  if (tenant.customersByKey.get(customer.key) === customer) tenant.customersByKey.delete(customer.key);
  for (const subject of customer.subjects) {
    // A subject may have moved to another customer meanwhile.
    if (tenant.customersBySubject.get(subject) === customer) tenant.customersBySubject.delete(subject);
  }
}
