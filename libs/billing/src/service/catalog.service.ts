import { Injectable } from '@nestjs/common';
import type { Catalog, Price } from '@tallygate/contracts';
import { err, formatInstant, ok } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';
import { canonical, catalogFaults, conflictingRows, duplicateFaults, inForce, mergeCatalog } from '../domain';
import type { Fault } from '../domain';
import { BillingFacts } from './billing-facts';
import { AuditLog, CatalogStore } from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export interface AppliedCatalog {
  readonly revision: number;
  readonly catalog: Catalog;
}

/** A price row as it is sent: what is left out is as in the row in force. */
export type PriceRow = Partial<Price> & Pick<Price, 'key'>;

/** What a provider sells. Every change is checked on the merged whole and stated whole. */
@Injectable()
export class Catalogs {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly store: CatalogStore,
    private readonly facts: BillingFacts,
    private readonly audit: AuditLog,
  ) {}

  find(caller: Caller): Promise<AppliedCatalog> {
    return this.sessions.read(caller, (session) => this.store.load(session));
  }

  apply(caller: Caller, document: Catalog): Promise<Result<AppliedCatalog, readonly Fault[]>> {
    return this.sessions.change(caller, (session) => this.merge(session, document));
  }

  /** Appends one row, in force from now unless it says from when. */
  appendPrice(caller: Caller, row: PriceRow): Promise<Result<AppliedCatalog, readonly Fault[]>> {
    return this.sessions.change(caller, async (session) => {
      const { catalog } = await this.store.load(session);
      const match = row.match ?? {};
      const series = catalog.prices.filter(
        (other) => other.key === row.key && canonical(other.match) === canonical(match),
      );
      const like = inForce(series, session.now) ?? catalog.prices.find(({ key }) => key === row.key);
      const from = row.from ?? formatInstant(session.now);
      const { unit = like?.unit, model = like?.model } = row;
      if (unit === undefined || model === undefined) return err([unknownPrice(row.key)]);
      const { match: _, from: __, ...body } = like ?? { match, from };
      const price: Price = { ...body, ...row, unit, model, match, from };
      return this.merge(session, { ...catalog, prices: [price] });
    });
  }

  private async merge(
    session: Session,
    document: Catalog,
  ): Promise<Result<AppliedCatalog, readonly Fault[]>> {
    const stored = await this.store.load(session);
    const merged = mergeCatalog(stored.catalog, document, session.now);
    const faults = [
      ...duplicateFaults(document),
      ...conflictingRows(stored.catalog.prices, document.prices).map(conflict),
      ...catalogFaults(merged),
    ];
    if (faults.length > 0) return err(faults);
    if (stored.revision > 0 && canonical(merged) === canonical(stored.catalog)) return ok(stored);
    return ok(await this.save(session, { revision: stored.revision + 1, catalog: merged }));
  }

  private async save(session: Session, applied: AppliedCatalog): Promise<AppliedCatalog> {
    await this.store.save(session, applied.revision, applied.catalog);
    await this.facts.catalog(session, applied.revision, applied.catalog);
    await this.audit.record(session, { action: 'catalog.applied', target: String(applied.revision) });
    return applied;
  }
}

function conflict(row: Price): Fault {
  return {
    field: `prices.${row.key}.from`,
    value: row.from,
    problem: 'there is another price from this very instant already',
    fix: 'append a row with a later from; what was priced keeps its price',
  };
}

function unknownPrice(key: string): Fault {
  return {
    field: `prices.${key}`,
    value: key,
    problem: 'a new price without unit and model',
    fix: 'say its unit and model; only a row of a known key may leave them out',
  };
}
