import { atLeast, median, reading } from '../figure';
import type { Figure } from '../figure';
import type { Setting } from '../setting';
import { drain } from './drain';

const ZIPF = 2;
const MOST_ROUNDS = 2;

/** Usage of which a few customers have nearly all, beside the same of customers who are all alike. */
export async function hotCustomers(setting: Setting): Promise<Figure> {
  const { rounds, roundEvents: count } = setting.size;
  const alike: number[] = [];
  const hot: number[] = [];
  for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round += 1) {
    alike.push((await drain(setting, { source: `alike-${round}`, count, perMessage: 1 })).perSecond);
    hot.push((await drain(setting, { source: `hot-${round}`, count, perMessage: 1, zipf: ZIPF })).perSecond);
  }
  const ratio = reading('of uniform', median(hot) / median(alike), '×');
  return {
    name: 'usage of hot customers',
    readings: [reading('Zipf 2.0', median(hot), 'events/s')],
    controls: [reading('uniform', median(alike), 'events/s')],
    ratios: [ratio],
    goals: [atLeast(ratio, 0.9)],
    how:
      `Backlogs of one event a message as in the first figure, in turns: of ${setting.size.customers} customers ` +
      'drawn by Zipf with exponent 2.0, where the first has six of ten events, and of the same drawn alike.',
  };
}
