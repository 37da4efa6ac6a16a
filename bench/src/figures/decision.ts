import type { DecisionFigure, DecisionFigures } from '../../decision/decision-bench';
import { atLeast, below, reading } from '../figure';
import type { Figure } from '../figure';
import { benchProcess } from '../load/child';

/** The decision as a Node service embeds it, in a process of its own. */
export async function decision(): Promise<Figure> {
  const { customers, empty, decisions } = (await benchProcess('decision/main.js')) as DecisionFigures;
  const slowest = decisions.reduce((worst, one) => (one.p99 > worst.p99 ? one : worst));
  const first = decisions[0] ?? slowest;
  const p99 = reading(`p99 of the slowest kind (${slowest.name})`, slowest.p99 / 1000, 'µs');
  const perCoreSecond = reading(`decisions (${first.name})`, first.perCoreSecond, '/s per core');
  return {
    name: 'in-process decision',
    readings: [
      p99,
      perCoreSecond,
      ...decisions.map((one) => reading(`p99, ${one.name}`, one.p99 / 1000, 'µs')),
    ],
    controls: [
      reading('p99 of an empty call', empty.p99 / 1000, 'µs'),
      reading('empty calls', empty.perCoreSecond, '/s'),
    ],
    ratios: [reading('over the empty call’s p99', slowest.p99 / empty.p99, '×'), ratioOfRates(first, empty)],
    goals: [below(p99, 10), atLeast(perCoreSecond, 1_000_000, '/s')],
    how: `Each call for another one of ${customers} customers; an empty function in the same loop is the control.`,
  };
}

const ratioOfRates = (one: DecisionFigure, empty: DecisionFigure) =>
  reading('of the empty call’s rate', one.perCoreSecond / empty.perCoreSecond, '×');
