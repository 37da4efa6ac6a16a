import { benchScale } from '../../ledger/run-scale';
import type { ScaleOptions } from '../../ledger/run-scale';
import { atLeast, reading } from '../figure';
import type { Figure } from '../figure';

export const SCALE = 'many customers, many events stored';
export const FULL_SCALE: ScaleOptions = { customers: 1_000_000, stored: 20_000_000, slices: 25, rounds: 3 };
export const SMALL_SCALE: ScaleOptions = { customers: 50_000, stored: 500_000, slices: 10, rounds: 1 };

/** The ledger alone, from memory, at the shape in which indexes and wallets do not fit into a processor's caches. */
export async function scale(options: ScaleOptions): Promise<Figure> {
  const { manyCustomers, manyEvents } = await benchScale(options);
  const customers = `${options.customers.toLocaleString('en')} customers`;
  const stored = `${options.stored.toLocaleString('en')} events stored`;
  const ofCustomers = reading(
    `of the ceiling, ${customers}`,
    manyCustomers.ledger / manyCustomers.ceiling,
    '×',
  );
  const ofEvents = reading(`of the ceiling, ${stored}`, manyEvents.ledger / manyEvents.ceiling, '×');
  return {
    name: SCALE,
    readings: [
      reading(customers, manyCustomers.ledger, 'events/s'),
      reading(`and ${stored}`, manyEvents.ledger, 'events/s'),
    ],
    controls: [
      reading(`ceiling, ${customers}`, manyCustomers.ceiling, 'events/s'),
      reading(`ceiling, and ${stored}`, manyEvents.ceiling, 'events/s'),
    ],
    ratios: [ofCustomers, ofEvents],
    goals: [atLeast(ofCustomers, 0.6), atLeast(ofEvents, 0.6)],
    how:
      'The ledger’s slice processor, its roll-up and feed beside it, and the ceiling, each fed from memory by 2 writers in ' +
      'slices of 4,000 events with random ids of customers drawn alike, on one PostgreSQL: first with nothing but the ' +
      'customers stored, then with the events stored by each as well, vacuumed and analysed. Medians of alternating rounds.',
  };
}
