import { Injectable } from '@nestjs/common';
import { exactMicros, parseDuration } from '@tallygate/kernel';
import type { Catalog, TenantFacts } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { Database, TenantTime } from '@tallygate/platform';
import { compileCatalog } from '../domain/meter';
import type { CompiledCatalog } from '../domain/meter';
import { TenantViews } from '../service/ports';
import type { TenantView } from '../service/ports';
import { ForgettingCache } from './forgetting-cache';

type Standing = Omit<TenantView, 'now'>;

const NO_METERS: CompiledCatalog = new Map();
const DEFAULT_WINDOW = '35d';
const KEEP_MS = 1_000;

/** Tenants as the directory knows them, each looked up at most once a second, its catalog compiled once per revision. */
@Injectable()
export class DirectoryTenantViews extends TenantViews {
  private readonly standing = new ForgettingCache<Standing>(KEEP_MS, 10_000);
  private readonly compiled = new WeakMap<Catalog, CompiledCatalog>();

  constructor(
    private readonly directory: Directory,
    private readonly database: Database,
    private readonly time: TenantTime,
  ) {
    super();
  }

  override async of(tenantIds: readonly string[]): Promise<ReadonlyMap<string, TenantView>> {
    // First the tenant, then its clock: a test tenant's clock comes with its facts.
    const standing = await Promise.all(tenantIds.map((tenantId) => this.standingOf(tenantId)));
    const nows = await this.time.nowOf(tenantIds);
    return new Map(
      tenantIds.flatMap((tenantId, place): [string, TenantView][] => {
        const now = nows.get(tenantId);
        const known = standing[place];
        return now === undefined || known === undefined ? [] : [[tenantId, { ...known, now }]];
      }),
    );
  }

  /** The tenant or its catalog has changed: look again at once. */
  forget(tenantId: string): void {
    this.standing.forget(tenantId);
  }

  private standingOf(tenantId: string): Promise<Standing> {
    return this.standing.through(tenantId, () => this.lookUp(tenantId));
  }

  private async lookUp(tenantId: string): Promise<Standing> {
    // Waits a moment for a tenant that billing has just created.
    const tenant = await this.directory.resolveTenant(tenantId);
    const facts = await this.database.asTenant(tenantId, (tx) => this.directory.catalog(tx, tenantId));
    const catalog = facts === null ? NO_METERS : this.compile(facts.catalog);
    return { windowMicros: windowOf(tenant), revision: facts?.revision ?? 0, catalog };
  }

  private compile(catalog: Catalog): CompiledCatalog {
    const known = this.compiled.get(catalog);
    if (known !== undefined) return known;
    const compiled = compileCatalog(catalog);
    this.compiled.set(catalog, compiled);
    return compiled;
  }
}

function windowOf(tenant: TenantFacts | null): number {
  const window = parseDuration(tenant?.settings.dedupWindow ?? DEFAULT_WINDOW);
  if (window.ok && window.value.months === 0) return exactMicros(window.value);
  // Billing checks settings; a tenant without a usable window keeps the default one rather than none.
  const standard = parseDuration(DEFAULT_WINDOW);
  return standard.ok ? exactMicros(standard.value) : 0;
}
