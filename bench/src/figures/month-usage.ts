import type { UsageQueryFigures } from '../../ledger/run-usage-query';
import { below, reading } from '../figure';
import type { Figure } from '../figure';
import { benchProcess } from '../load/child';

/** A month of one customer's usage by day and model. */
export async function monthUsage(events: number): Promise<Figure> {
  const figures = (await benchProcess('ledger/run-usage-query.js', [
    String(events),
    'sum',
  ])) as UsageQueryFigures;
  const [rolledUp, fromEvents] = [figures.rolledUp.sum, figures.fromEvents.sum];
  const sum = reading('sum, median', rolledUp?.median ?? NaN, 'ms');
  return {
    name: 'a month of usage by day and model',
    readings: [sum, reading('sum, worst', rolledUp?.worst ?? NaN, 'ms')],
    controls: [reading('sum from the events', fromEvents?.median ?? NaN, 'ms')],
    ratios: [],
    goals: [below(sum, 200)],
    how:
      `${events.toLocaleString('en')} events of one customer and five models in March, asked for by day in ` +
      'Europe/Berlin, after the background roll-up; nine times. Control: the same before any of it was rolled up.',
  };
}
