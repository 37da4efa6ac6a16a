import type { BalanceFacts, Catalog, CustomerFacts, LotFacts, QuotaFacts } from '@tallygate/contracts';
import type { Announced, Plan } from '../domain';
import type { UsedPeriod, Watch, WatchKey } from './ports';

/** What the ledger says of something that is watched. */
export type LedgerFact =
  | { readonly kind: 'usage'; readonly facts: QuotaFacts }
  | { readonly kind: 'balance'; readonly facts: BalanceFacts }
  | { readonly kind: 'lot'; readonly facts: LotFacts };

export function watchOf(fact: LedgerFact): WatchKey {
  const { kind, facts } = fact;
  return { kind, customerId: facts.customerId, key: keyOf(fact) };
}

function keyOf({ kind, facts }: LedgerFact): string {
  switch (kind) {
    case 'usage':
      return facts.feature;
    case 'balance':
      return facts.unit;
    case 'lot':
      return facts.grantId;
  }
}

type Known = Omit<Watch, 'facts'>;

/**
 * What a chunk of facts is judged by. It is read before the first of them and follows each of them, so that the next one
 * of the same thing finds what it would find in the stores if it came alone.
 */
export class LedgerChunk {
  /** Of each lot that was judged, in this order. */
  readonly plans: Plan[] = [];
  private readonly watches: Map<string, Known>;
  private readonly changed = new Map<string, Watch>();
  private readonly announced: Map<string, Announced>;

  /** @param catalog null while the tenant's rules are unknown */
  constructor(
    private readonly catalog: Catalog | null,
    private readonly customers: ReadonlyMap<string, CustomerFacts>,
    watches: readonly Known[],
    announced: readonly (UsedPeriod & { readonly announced: Announced })[],
  ) {
    this.watches = new Map(watches.map((watch) => [nameOf(watch), watch]));
    this.announced = new Map(announced.map((one) => [periodOf(one), one.announced]));
  }

  /** The rules and whom they are about; null while either is unknown, since the ledger may be heard before billing. */
  known(customerId: string): { readonly catalog: Catalog; readonly customer: CustomerFacts } | null {
    const customer = this.customers.get(customerId);
    return this.catalog && customer ? { catalog: this.catalog, customer } : null;
  }

  /** Whether nothing as new was known of the thing; from now on this is. */
  take(fact: LedgerFact): boolean {
    const before = this.watches.get(nameOf(watchOf(fact)));
    if (before !== undefined && before.version >= fact.facts.version) return false;
    this.change(fact, {});
    return true;
  }

  fired(fact: LedgerFact): readonly string[] {
    return this.watches.get(nameOf(watchOf(fact)))?.fired ?? [];
  }

  change(fact: LedgerFact, change: Partial<Pick<Watch, 'fired' | 'dueAt'>>): void {
    const key = watchOf(fact);
    const { facts } = fact;
    const before = this.watches.get(nameOf(key)) ?? { fired: [], dueAt: null };
    const watch = { ...before, ...change, ...key, version: facts.version, facts };
    this.watches.set(nameOf(key), watch);
    this.changed.set(nameOf(key), watch);
  }

  announcedIn(period: UsedPeriod): Announced {
    return this.announced.get(periodOf(period)) ?? { percent: null, units: null };
  }

  announce(period: UsedPeriod, announced: Announced): void {
    this.announced.set(periodOf(period), announced);
  }

  /** As they are after the last fact. */
  get changedWatches(): readonly Watch[] {
    return [...this.changed.values()];
  }
}

function nameOf({ customerId, kind, key }: WatchKey): string {
  return `${customerId} ${kind} ${key}`;
}

function periodOf({ customerId, feature, periodStart }: UsedPeriod): string {
  return `${customerId} ${periodStart} ${feature}`;
}
