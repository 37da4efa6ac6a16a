import { Injectable } from '@nestjs/common';
import type { PriceAnnouncement, PriceAnswer } from '@tallygate/contracts';
import { formatInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { newRow, readPriceRow, rowInForce } from '../domain';
import type { PriceRow, RatingBook } from '../domain';
import { AnnouncedPriceStore } from './announced-price-store';
import { ParkedUsage } from './parked-usage.service';
import { RatingFacts } from './rating-facts';

type Rated = Extract<PriceAnswer, { outcome: 'refused' }>['rated'];

/**
 * semantics §4: a price row that would change events already rated is refused. Billing asks before it states a row: no
 * slice rates while the question is answered, and what the row would price from then on is parked until the row comes.
 * So an event is rated by the row in force at its own time, or the row is refused, whatever runs at once.
 */
@Injectable()
export class AnnouncedPrices {
  constructor(
    private readonly store: AnnouncedPriceStore,
    private readonly rating: RatingFacts,
    private readonly parked: ParkedUsage,
  ) {}

  async announce(tx: Tx, announcement: PriceAnnouncement): Promise<PriceAnswer> {
    const { tenantId } = announcement;
    await this.store.alone(tx, tenantId);
    const book = await this.rating.book(tx, tenantId);
    const rated = book === null ? [] : await this.changed(tx, book, announcement);
    if (rated.length > 0) return { outcome: 'refused', rated };
    await this.store.add(tx, announcement);
    return { outcome: 'announced' };
  }

  /** The rows will not come: what waited for them is rated by those in force. */
  async withdraw(tx: Tx, tenantId: string, id: string, now: Instant): Promise<void> {
    await this.store.alone(tx, tenantId);
    if (await this.store.remove(tx, tenantId, id)) await this.parked.redrive(tx, tenantId, now);
  }

  /** A catalog came. No slice still rates by the one before when what waited is taken up. */
  async settle(tx: Tx, tenantId: string, revision: number, now: Instant): Promise<void> {
    await this.store.alone(tx, tenantId);
    await this.store.settle(tx, tenantId, revision);
    await this.parked.redrive(tx, tenantId, now);
  }

  private async changed(tx: Tx, book: RatingBook, { tenantId, rows }: PriceAnnouncement): Promise<Rated> {
    const found: Rated[number][] = [];
    for (const price of rows) {
      const own = rows.filter((other) => other.key === price.key).map(readPriceRow);
      const all = [...(book.prices.get(price.key) ?? []), ...own];
      const row = own[rows.filter((other) => other.key === price.key).indexOf(price)];
      if (row !== undefined) found.push(...(await this.changedBy(tx, book, tenantId, row, all)));
    }
    return found;
  }

  /** In one group, whatever the row prices it prices from its first instant on: the earliest usage tells. */
  private async changedBy(
    tx: Tx,
    book: RatingBook,
    tenantId: string,
    row: PriceRow,
    all: readonly PriceRow[],
  ): Promise<Rated> {
    const features = [...book.features.values()]
      .filter(({ price }) => price === row.key)
      .map(({ key }) => key);
    const usage = await this.store.rated(tx, tenantId, features, newRow(row, all));
    return usage
      .filter(({ earliest, group }) => rowInForce(all, earliest, group) === row)
      .map(({ feature, earliest }) => ({
        key: row.key,
        from: row.from === Number.MIN_SAFE_INTEGER ? null : formatInstant(row.from as Instant),
        feature,
        earliest: formatInstant(earliest),
      }));
  }
}
