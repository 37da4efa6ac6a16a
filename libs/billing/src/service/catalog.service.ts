import { Injectable } from '@nestjs/common';
import type { Catalog, Price } from '@tallygate/contracts';
import { err, formatInstant, Ids, ok } from '@tallygate/kernel';
import type { Result } from '@tallygate/kernel';
import {
  announcedRows,
  canonical,
  catalogFaults,
  conflictingRows,
  duplicateFaults,
  inForce,
  mergeCatalog,
} from '../domain';
import type { Fault } from '../domain';
import { BillingFacts } from './billing-facts';
import { AuditLog, CatalogStore, LedgerPrices } from './ports';
import type { RatedRows } from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller, Session } from './tenant-session';

export interface AppliedCatalog {
  readonly revision: number;
  readonly catalog: Catalog;
}

/** A price row as it is sent: what is left out is as in the row in force. */
export type PriceRow = Partial<Price> & Pick<Price, 'key'>;

/** Why a catalog was not applied. */
export type CatalogRefusal =
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  /** Rows would change usage that was rated already. */
  | { readonly kind: 'rated'; readonly rated: RatedRows }
  /** The ledger, which must agree to the rows, does not answer. */
  | { readonly kind: 'unreachable' };

/** What a provider sells. Every change is checked on the merged whole and stated whole. */
@Injectable()
export class Catalogs {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly store: CatalogStore,
    private readonly facts: BillingFacts,
    private readonly audit: AuditLog,
    private readonly prices: LedgerPrices,
    private readonly ids: Ids,
  ) {}

  find(caller: Caller): Promise<AppliedCatalog> {
    return this.sessions.read(caller, (session) => this.store.load(session));
  }

  apply(caller: Caller, document: Catalog): Promise<Result<AppliedCatalog, CatalogRefusal>> {
    return this.change(caller, () => ok({ document, asked: document.prices }));
  }

  /** Appends one row, in force from now unless it says from when. */
  appendPrice(caller: Caller, row: PriceRow): Promise<Result<AppliedCatalog, CatalogRefusal>> {
    return this.change(caller, (session, { catalog }) => withPrice(session, catalog, row));
  }

  /**
   * Nothing waits for a network inside a session: the ledger is asked about the rows of the next revision first, and
   * when another change took that revision meanwhile, all is asked anew.
   */
  private async change(caller: Caller, build: Build): Promise<Result<AppliedCatalog, CatalogRefusal>> {
    const planned = await this.sessions.read(caller, (session) => this.plan(session, build));
    if (!planned.ok) return planned;
    const commit = () =>
      this.sessions.change(caller, (session) => this.commit(session, build, planned.value));
    const outcome = await this.announcing(caller, planned.value, commit);
    return outcome === 'moved' ? this.change(caller, build) : outcome;
  }

  private async announcing(
    { tenantId }: Caller,
    { stored, announced }: Plan,
    commit: () => Promise<Committed>,
  ): Promise<Committed> {
    if (announced.length === 0) return commit();
    const announcement = { id: this.ids.next(), tenantId, revision: stored.revision + 1, rows: announced };
    const answer = await this.prices.announced(announcement, async () => {
      const outcome = await commit();
      return { stated: outcome !== 'moved' && outcome.ok, value: outcome };
    });
    switch (answer.outcome) {
      case 'worked':
        return answer.value;
      case 'refused':
        return err({ kind: 'rated', rated: answer.rated });
      case 'unreachable':
        return err({ kind: 'unreachable' });
    }
  }

  private async plan(session: Session, build: Build): Promise<Result<Plan, CatalogRefusal>> {
    const stored = await this.store.load(session);
    const built = mergedWith(session, stored, build);
    if (!built.ok) return err({ kind: 'invalid', faults: built.error });
    const { merged, asked } = built.value;
    return ok({ stored, announced: announcedRows(stored.catalog, merged, asked) });
  }

  private async commit(session: Session, build: Build, plan: Plan): Promise<Committed> {
    const stored = await this.store.load(session);
    if (stored.revision !== plan.stored.revision) return 'moved';
    const built = mergedWith(session, stored, build);
    if (!built.ok) return err({ kind: 'invalid', faults: built.error });
    const { merged: catalog } = built.value;
    if (stored.revision > 0 && canonical(catalog) === canonical(stored.catalog)) return ok(stored);
    return ok(await this.save(session, { revision: stored.revision + 1, catalog }));
  }

  private async save(session: Session, applied: AppliedCatalog): Promise<AppliedCatalog> {
    await this.store.save(session, applied.revision, applied.catalog);
    await this.facts.catalog(session, applied.revision, applied.catalog);
    await this.audit.record(session, { action: 'catalog.applied', target: String(applied.revision) });
    return applied;
  }
}

/** What a request means, given what is stored. */
type Build = (session: Session, stored: AppliedCatalog) => Result<Request, readonly Fault[]>;

interface Request {
  readonly document: Catalog;
  /** Price rows whose start was asked for. */
  readonly asked: readonly Price[];
}

interface Merged {
  readonly merged: Catalog;
  readonly asked: readonly Price[];
}

interface Plan {
  readonly stored: AppliedCatalog;
  /** Rows that the ledger must agree to. */
  readonly announced: readonly Price[];
}

type Committed = Result<AppliedCatalog, CatalogRefusal> | 'moved';

function withPrice(session: Session, catalog: Catalog, row: PriceRow): Result<Request, readonly Fault[]> {
  const match = row.match ?? {};
  const series = catalog.prices.filter(
    (other) => other.key === row.key && canonical(other.match) === canonical(match),
  );
  const like = inForce(series, session.now) ?? catalog.prices.find(({ key }) => key === row.key);
  const from = row.from ?? formatInstant(session.now);
  const { unit = like?.unit, model = like?.model } = row;
  if (unit === undefined || model === undefined) return err([unknownPrice(row.key)]);
  const { match: _, from: __, ...body } = like ?? { match, from };
  const prices = [{ ...body, ...row, unit, model, match, from }];
  return ok({ document: { ...catalog, prices }, asked: row.from === undefined ? [] : prices });
}

function mergedWith(
  session: Session,
  stored: AppliedCatalog,
  build: Build,
): Result<Merged, readonly Fault[]> {
  const request = build(session, stored);
  if (!request.ok) return request;
  const { document, asked } = request.value;
  const merged = mergeCatalog(stored.catalog, document, session.now);
  const faults = [
    ...duplicateFaults(document),
    ...conflictingRows(stored.catalog.prices, document.prices).map(conflict),
    ...catalogFaults(merged),
  ];
  return faults.length > 0 ? err(faults) : ok({ merged, asked });
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
