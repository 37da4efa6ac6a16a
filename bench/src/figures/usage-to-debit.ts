import { randomUUID } from 'node:crypto';
import { SystemClock } from '@tallygate/kernel';
import { Client } from 'pg';
import { Controls } from '../../ledger/controls';
import { picker, sliceMessage } from '../../ledger/workload';
import type { Customer, Shape } from '../../ledger/workload';
import { atLeast, median, reading } from '../figure';
import type { Figure } from '../figure';
import { Producer } from '../load/producer';
import { LOAD_PREFIX } from '../setting';
import type { Setting } from '../setting';

const DATABASE = 'bench_control';
const WRITERS = 2;
const SHAPE = { zipf: 0, randomIds: false, sliceSize: 4_000, writers: WRITERS };
const ROW_EVENTS = 1_000;
const PER_MESSAGE = 50;

type Take = (writer: number, message: Buffer) => Promise<number>;

/** The whole stack, with the controls between its rounds on the same server, so that noise meets all of them. */
export async function usageToDebit(setting: Setting): Promise<Figure> {
  const controls = await ControlRounds.prepare(setting);
  try {
    await pipeline(setting, 'warm-up', 20_000, 1);
    await controls.ceiling(5);
    const rounds = { ceiling: [] as number[], single: [] as number[], batched: [] as number[] };
    for (let round = 0; round < setting.size.rounds; round += 1) {
      rounds.ceiling.push(await controls.ceiling(slicesOf(setting)));
      rounds.single.push(await pipeline(setting, `single-${round}`, setting.size.roundEvents, 1));
      rounds.ceiling.push(await controls.ceiling(slicesOf(setting)));
      rounds.batched.push(await pipeline(setting, `batched-${round}`, setting.size.roundEvents, PER_MESSAGE));
    }
    return figureOf(
      median(rounds.single),
      median(rounds.batched),
      median(rounds.ceiling),
      await controls.row(),
    );
  } finally {
    await controls.close();
  }
}

function figureOf(single: number, batched: number, ceiling: number, row: number): Figure {
  const toCeiling = reading('of the ceiling', single / ceiling, '×');
  const toRow = reading('of row at a time', single / row, '×');
  return {
    name: 'usage → durable debit',
    readings: [
      reading('one event a message', single, 'events/s'),
      reading(`${PER_MESSAGE} events a message`, batched, 'events/s'),
    ],
    controls: [reading('ceiling', ceiling, 'events/s'), reading('row at a time', row, 'events/s')],
    ratios: [toCeiling, reading('of the ceiling, batched', batched / ceiling, '×'), toRow],
    goals: [atLeast(toCeiling, 0.3), atLeast(toRow, 15)],
    how:
      'A producer process writes CloudEvents to usage.raw while ingestion and the ledger, processes of their own, ' +
      'take them; from the first to the last commit of a debit by PostgreSQL’s own commit times. Ceiling: the least ' +
      'SQL that deduplicates, stores each event, debits, journals, writes an outbox row and the offset, fed from ' +
      'memory by 2 writers in slices of 4,000. Row at a time: a transaction per event. Same PostgreSQL, medians of ' +
      'alternating rounds.',
  };
}

/** @returns events debited a second */
export async function pipeline(
  { stack, tenant, debits, size }: Setting,
  source: string,
  count: number,
  perMessage: number,
): Promise<number> {
  const producer = Producer.start({
    brokers: stack.brokers,
    tenantId: tenant.id,
    source,
    customerPrefix: LOAD_PREFIX,
    customers: size.customers,
    perMessage,
    count,
    rate: null,
  });
  await producer.done;
  await debits.caughtUp();
  const { events, seconds, first } = await debits.of(source);
  if (events !== count) throw new Error(`${count} events were acknowledged and ${events} debited`);
  return (events - first) / seconds;
}

const slicesOf = ({ size }: Setting): number => Math.ceil(size.roundEvents / WRITERS / SHAPE.sliceSize);

/** The two controls in a database of their own on the stack's server. */
class ControlRounds {
  private constructor(
    private readonly controls: Controls,
    private readonly pools: readonly Customer[][],
    private readonly shape: Shape,
  ) {}

  static async prepare({ stack, size }: Setting): Promise<ControlRounds> {
    const admin = new Client({ connectionString: stack.databaseUrl });
    await admin.connect();
    await admin.query(`create database ${DATABASE}`);
    await admin.end();
    const url = new URL(stack.databaseUrl);
    url.pathname = `/${DATABASE}`;
    const customers = Array.from({ length: size.customers }, () => ({
      tenantId: randomUUID(),
      customerId: randomUUID(),
    }));
    const controls = new Controls(url.href);
    await controls.prepare(customers, WRITERS);
    const pools = Array.from({ length: WRITERS }, (_, writer) =>
      customers.filter((_customer, place) => place % WRITERS === writer),
    );
    return new ControlRounds(controls, pools, { ...SHAPE, customers: size.customers });
  }

  ceiling(slices: number): Promise<number> {
    return this.race((writer, message) => this.controls.slice(writer, message), slices, SHAPE.sliceSize);
  }

  row(): Promise<number> {
    return this.race((writer, message) => this.controls.rowAtATime(writer, message), 1, ROW_EVENTS);
  }

  close(): Promise<void> {
    return this.controls.close();
  }

  /** @returns events a second of all writers together */
  private async race(take: Take, slices: number, sliceSize: number): Promise<number> {
    const now = new SystemClock().now();
    const messages = this.pools.map((pool) => {
      const pick = picker(pool, this.shape.zipf);
      return Array.from({ length: slices }, () => sliceMessage(pick, { ...this.shape, sliceSize }, now));
    });
    const start = performance.now();
    await Promise.all(
      messages.map(async (own, writer) => {
        for (const message of own) await take(writer, message);
      }),
    );
    return (slices * sliceSize * this.pools.length) / ((performance.now() - start) / 1000);
  }
}
