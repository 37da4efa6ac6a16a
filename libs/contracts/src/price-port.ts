import type { Price } from './catalog';

/**
 * What billing tells the ledger of price rows before they are in force, and waits for: `POST
 * {ledger}/internal/prices/announce` and `/internal/prices/withdraw` under the internal secret. A row that would change
 * usage rated already is refused. Of what is not refused, usage that the rows would price is held back until the
 * catalog's revision arrives, so that nothing is rated by the old rows meanwhile.
 */
export interface PriceAnnouncement {
  /** Of this announcement: what withdraws it. */
  readonly id: string;
  readonly tenantId: string;
  /** The catalog revision that the rows come with. It ends the announcement, as does any later one. */
  readonly revision: number;
  readonly rows: readonly Price[];
}

export type PriceAnswer =
  | { readonly outcome: 'announced' }
  /** These rows would change usage that was rated by another row, from this instant on. */
  | {
      readonly outcome: 'refused';
      readonly rated: readonly {
        readonly key: string;
        readonly from: string | null;
        readonly feature: string;
        readonly earliest: string;
      }[];
    };
