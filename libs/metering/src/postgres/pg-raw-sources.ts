import { Injectable } from '@nestjs/common';
import { Database, texts, uuids } from '@tallygate/platform';
import { RawSources } from '../service/ports';
import type { TenantSource } from '../service/ports';
import { noteSources, readSources } from './sql/raw-sources';

/** Stands for all sources of its tenant: no event's source is empty. */
const ALL = '';
/** A tenant with more than that names its sources anew all the time: they are not told apart any longer. */
const MOST_OF_TENANT = 1_000;
const MOST_TENANTS = 10_000;

interface SourceRow {
  readonly tenant_id: string;
  readonly source: string;
}

/** A row per tenant and source, never deleted: their number is bounded by taking all of a tenant's as one. */
@Injectable()
export class PgRawSources extends RawSources {
  /** What is known to be stored, by tenant. */
  private readonly stored = new Map<string, Set<string>>();

  constructor(private readonly database: Database) {
    super();
  }

  override async note(sources: Iterable<TenantSource>): Promise<void> {
    const fresh = [...sources].filter(({ tenantId, source }) => !this.isStored(tenantId, source));
    if (fresh.length === 0) return;
    const rows = this.boundedOf(fresh);
    await this.database.asWorker((tx) => tx.query(noteSources, parametersOf(rows)));
    // Everything may be noted again, so the simplest bound will do.
    if (this.stored.size >= MOST_TENANTS) this.stored.clear();
    for (const { tenantId, source } of rows) this.remember(tenantId, source);
  }

  override async among(sources: Iterable<TenantSource>): Promise<(one: TenantSource) => boolean> {
    const asked = new Map<string, TenantSource>();
    for (const { tenantId, source } of sources) asked.set(tenantId + source, { tenantId, source });
    const { rows } = await this.database.asWorker((tx) =>
      tx.query<SourceRow>(readSources, parametersOf([...asked.values()])),
    );
    const found = new Set(rows.map(({ tenant_id: tenantId, source }) => tenantId + source));
    return ({ tenantId, source }) =>
      found.size > 0 && (found.has(tenantId + source) || found.has(tenantId + ALL));
  }

  private isStored(tenantId: string, source: string): boolean {
    const stored = this.stored.get(tenantId);
    return stored !== undefined && (stored.has(source) || stored.has(ALL));
  }

  /** A tenant's row for all where its own would be too many. */
  private boundedOf(fresh: readonly TenantSource[]): readonly TenantSource[] {
    const counts = new Map<string, number>();
    for (const { tenantId } of fresh) counts.set(tenantId, (counts.get(tenantId) ?? 0) + 1);
    const tooMany = (tenantId: string): boolean =>
      (this.stored.get(tenantId)?.size ?? 0) + (counts.get(tenantId) ?? 0) > MOST_OF_TENANT;
    const wholes = [...counts.keys()].filter(tooMany).map((tenantId) => ({ tenantId, source: ALL }));
    return [...fresh.filter(({ tenantId }) => !tooMany(tenantId)), ...wholes];
  }

  private remember(tenantId: string, source: string): void {
    const stored = this.stored.get(tenantId);
    if (stored === undefined) this.stored.set(tenantId, new Set([source]));
    else stored.add(source);
  }
}

function parametersOf(sources: readonly TenantSource[]): [Buffer, Buffer] {
  return [uuids(sources.map(({ tenantId }) => tenantId)), texts(sources.map(({ source }) => source))];
}
