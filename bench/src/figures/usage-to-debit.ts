import { atLeast, median, reading } from '../figure';
import type { Figure } from '../figure';
import type { Setting } from '../setting';
import { ControlRounds } from './control-rounds';
import { cpuOf, drain } from './drain';
import type { Round } from './drain';

const PER_MESSAGE = 50;
const WARM_UP = 20_000;

/** The whole stack, with the controls between its rounds on the same server, so that noise meets all of them. */
export async function usageToDebit(setting: Setting): Promise<{ throughput: Figure; cost: Figure }> {
  const { rounds, roundEvents } = setting.size;
  const controls = await ControlRounds.prepare(setting);
  try {
    await drain(setting, { source: 'warm-up', count: WARM_UP, perMessage: 1 });
    await controls.ceiling(WARM_UP);
    const ceiling: Round[] = [];
    const single: Round[] = [];
    const batched: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      ceiling.push(await ceilingRound(setting, controls));
      single.push(await drain(setting, { source: `single-${round}`, count: roundEvents, perMessage: 1 }));
      ceiling.push(await ceilingRound(setting, controls));
      batched.push(
        await drain(setting, { source: `batched-${round}`, count: roundEvents, perMessage: PER_MESSAGE }),
      );
    }
    const slow = { row: await controls.row(), transfer: await controls.transfer() };
    return { throughput: throughputOf(single, batched, ceiling, slow), cost: costOf(single, ceiling) };
  } finally {
    await controls.close();
  }
}

function throughputOf(
  single: readonly Round[],
  batched: readonly Round[],
  ceiling: readonly Round[],
  { row, transfer }: { readonly row: number; readonly transfer: number },
): Figure {
  const [one, many, most] = [single, batched, ceiling].map((rounds) =>
    median(rounds.map(({ perSecond }) => perSecond)),
  ) as [number, number, number];
  const toCeiling = reading('of the ceiling', one / most, '×');
  const toRow = reading('of row at a time', one / row, '×');
  return {
    name: 'usage → durable debit',
    readings: [
      reading('one event a message', one, 'events/s'),
      reading(`${PER_MESSAGE} events a message`, many, 'events/s'),
    ],
    controls: [
      reading('ceiling', most, 'events/s'),
      reading('row at a time', row, 'events/s'),
      reading('a transfer at a time', transfer, 'events/s'),
    ],
    ratios: [
      toCeiling,
      toRow,
      reading('of the ceiling, batched', many / most, '×'),
      reading('of row at a time, batched', many / row, '×'),
      reading('of a transfer at a time', one / transfer, '×'),
    ],
    goals: [atLeast(toCeiling, 0.3), atLeast(toCeiling, 0.5), atLeast(toRow, 30)],
    how:
      'A producer process fills usage.raw with CloudEvents; then ingestion starts, and it and the ledger, processes of ' +
      'their own, drain them, with every other consumer of the stack at work; from the first to the last commit of a ' +
      'debit by PostgreSQL’s own commit times. The first 100,000 of each backlog let ingestion warm up and are not ' +
      'timed. Ceiling: the least ' +
      'SQL that deduplicates, stores each event, debits, journals, writes an outbox row and the offset, fed from ' +
      'memory by 2 writers in slices of 4,000. Row at a time: a transaction per event. A transfer at a time: a ledger ' +
      'that posts one event after the other between the customer’s account and revenue, two entries and both balances ' +
      'in a transaction. Same PostgreSQL, durable commits, medians of alternating rounds.',
  };
}

function costOf(single: readonly Round[], ceiling: readonly Round[]): Figure {
  const middle = (rounds: readonly Round[], name: string): number =>
    median(rounds.map(({ cost }) => cost.get(name) ?? 0));
  const names = [...(single[0]?.cost.keys() ?? [])];
  const total = names.reduce((sum, name) => sum + middle(single, name), 0);
  const least = [...(ceiling[0]?.cost.keys() ?? [])].reduce((sum, name) => sum + middle(ceiling, name), 0);
  return {
    name: 'processor time of an event',
    readings: [
      reading('altogether', total, 'µs'),
      ...names.map((name) => reading(name, middle(single, name), 'µs')),
    ],
    controls: [
      reading('ceiling: PostgreSQL', middle(ceiling, 'postgres'), 'µs'),
      reading('ceiling: its writer', middle(ceiling, 'writer'), 'µs'),
    ],
    ratios: [reading('ceiling to stack', least / total, '×')],
    goals: [],
    how:
      'Processor time that each process took during the rounds of one event a message, by the events: what the ' +
      'throughput is made of, whatever else the machine does. The wall clock cannot beat it: cores ÷ this is the most.',
  };
}

async function ceilingRound(setting: Setting, controls: ControlRounds): Promise<Round> {
  const { roundEvents } = setting.size;
  const before = await cpuOf(setting);
  const perSecond = await controls.ceiling(roundEvents);
  const after = await cpuOf(setting);
  const spent = (name: string) => (((after.get(name) ?? 0) - (before.get(name) ?? 0)) * 1e6) / roundEvents;
  return { perSecond, cost: new Map(['postgres', 'writer'].map((name) => [name, spent(name)])) };
}
