import { Producer } from '../load/producer';
import { Processes } from '../processes';
import { LOAD_PREFIX } from '../setting';
import type { Setting } from '../setting';

/** Events of a backlog that let the process which was just started warm up. */
export const LEAD = 100_000;
const MEASURED = ['kafka', 'ingestion', 'ledger', 'postgres', 'entitlement', 'notifier', 'billing'];

export interface Round {
  readonly perSecond: number;
  /** Microseconds of processor time for each event, by process. */
  readonly cost: ReadonlyMap<string, number>;
}

export interface Backlog {
  readonly source: string;
  readonly count: number;
  readonly perMessage: number;
  readonly zipf?: number;
}

/** Of a backlog whose first part lets the process that was just started warm up; timed is the second. */
export async function drain(setting: Setting, { source, count, ...shape }: Backlog): Promise<Round> {
  const { stack, debits } = setting;
  await stack.stopProcess('ingestion');
  await fill(setting, { source: `${source}-lead`, count: LEAD, ...shape });
  await fill(setting, { source, count, ...shape });
  const before = await cpuOf(setting);
  await stack.startProcess('ingestion');
  await debits.quiet();
  const after = await cpuOf(setting);
  const { events, seconds, first } = await debits.of(source);
  if (events !== count) throw new Error(`${count} events were acknowledged and ${events} debited`);
  const cost = MEASURED.map(
    (name) => [name, (((after.get(name) ?? 0) - (before.get(name) ?? 0)) * 1e6) / (LEAD + count)] as const,
  );
  return { perSecond: (events - first) / seconds, cost: new Map(cost) };
}

async function fill({ stack, tenant, size }: Setting, backlog: Backlog): Promise<void> {
  const door = { kind: 'kafka' as const, brokers: stack.brokers, tenantId: tenant.id };
  const of = { customerPrefix: LOAD_PREFIX, customers: size.customers, rate: null };
  await Producer.start({ door, ...of, ...backlog }).done;
}

/** Seconds of processor time by process; `writer` is this one, which feeds the controls. */
export async function cpuOf({ stack }: Setting): Promise<ReadonlyMap<string, number>> {
  const processes = await Processes.now();
  const pids = [...stack.pids(), ['writer', process.pid] as const];
  const own = process.cpuUsage();
  return new Map(
    pids.map(([name, pid]) => [
      name,
      name === 'writer' ? (own.user + own.system) / 1e6 : processes.treeCpuSeconds(pid),
    ]),
  );
}
