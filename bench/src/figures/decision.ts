import type { DecisionFigure, DecisionFigures } from '../../decision/decision-bench';
import { atLeast, below, reading } from '../figure';
import type { Figure, Reading } from '../figure';
import { benchProcess } from '../load/child';

/** The decision as a Node service embeds it, in a process of its own. */
export async function decision(): Promise<Figure> {
  const sizes = (await benchProcess('decision/main.js')) as readonly DecisionFigures[];
  const cases = sizes.flatMap(({ customers, decisions }) => decisions.map((one) => ({ customers, ...one })));
  const first = cases[0];
  const empty = sizes[0]?.empty;
  if (first === undefined || empty === undefined) throw new Error('bench/decision measured nothing');
  const slowest = cases.reduce((worst, one) => (one.p99 > worst.p99 ? one : worst));
  const p99 = reading('p99 of the slowest case', slowest.p99 / 1000, 'µs');
  const rate = perCore(`${first.name}, ${first.customers} customers`, first);
  return {
    name: 'in-process decision',
    readings: [
      p99,
      rate,
      ...cases.map((one) => reading(`p99 ${one.name}, ${one.customers} customers`, one.p99 / 1000, 'µs')),
    ],
    controls: [reading('p99 of an empty call', empty.p99 / 1000, 'µs'), perCore('empty calls', empty)],
    ratios: [
      reading('of the empty call’s p99', slowest.p99 / empty.p99, '×'),
      reading('of the empty call’s rate', first.perCoreSecond / empty.perCoreSecond, '×'),
    ],
    goals: [below(p99, 10), atLeast(rate, 1_000_000, ' /s per core')],
    how:
      'Each call for another customer, few of them (in the processor’s cache) and many (from memory); an empty ' +
      'function in the same loop is the control.',
  };
}

const perCore = (name: string, { perCoreSecond }: DecisionFigure): Reading =>
  reading(name, perCoreSecond, '/s per core');
