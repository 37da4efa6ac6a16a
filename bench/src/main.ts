import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { attempt, isMeasured } from './figure';
import type { Figure, Outcome } from './figure';
import { decision } from './figures/decision';
import { gateAgent } from './figures/gate-agent';
import { gateLatencies } from './figures/gate-latency';
import type { Load } from './figures/gate-latency';
import { hotCustomers } from './figures/hot-customers';
import { httpIngestion } from './figures/http-ingestion';
import { held, memory, standaloneMemory } from './figures/memory';
import { monthUsage } from './figures/month-usage';
import { pastBalance } from './figures/past-balance';
import { FULL_SCALE, scale, SCALE, SMALL_SCALE } from './figures/scale';
import { usageToDebit } from './figures/usage-to-debit';
import { linesOf, pageOf, thisMachine } from './report';
import { FULL, QUICK, Setting } from './setting';
import type { Size } from './setting';

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  /** Adds the figure that fills a database first. */
  scale: { type: 'boolean', default: false },
  /** What the page is dated with; today when not given. */
  date: { type: 'string' },
  out: { type: 'string', default: 'bench/report' },
} as const;

/** `npm run bench [-- --quick] [--scale] [--date YYYY-MM-DD] [--out FOLDER]`: 1 when a figure could not be measured. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  const machine = thisMachine();
  const outcomes = [
    ...(await withoutStack(values.quick)),
    ...(await onRealStack(values.quick ? QUICK : FULL)),
    ...(values.scale ? [await told(SCALE, () => scale(values.quick ? SMALL_SCALE : FULL_SCALE))] : []),
  ];
  const date = values.date ?? new Date().toISOString().slice(0, 10);
  const report = { date, quick: values.quick, machine, outcomes };
  await mkdir(values.out, { recursive: true });
  await writeFile(join(values.out, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(values.out, 'latest.md'), pageOf(report));
  return outcomes.every(isMeasured) ? 0 : 1;
}

/** First, while nothing of ours runs beside them. */
async function withoutStack(quick: boolean): Promise<Outcome[]> {
  return [
    await told('in-process decision', decision),
    await told('gate agent over HTTP', () => (quick ? gateAgent(3, 1) : gateAgent(7, 3))),
    await told('resident memory of standalone', standaloneMemory),
    await told('a balance two years back', () => pastBalance(quick ? 20_000 : 100_000)),
    await told('a month of usage by day and model', () => monthUsage(quick ? 100_000 : 1_000_000)),
  ];
}

async function onRealStack(size: Size): Promise<Outcome[]> {
  say('starting the real stack');
  const setting = await Setting.prepare(size);
  try {
    const usage = shown(await usageOutcomes(setting));
    const earlier = await held(setting);
    const latencies = await gateOutcomes(setting, usage[0]!);
    return [
      ...usage,
      ...latencies,
      await told('usage of hot customers', () => hotCustomers(setting)),
      await told('usage over HTTP', () => httpIngestion(setting, ceilingOf(usage[0]!))),
      await told('resident memory after the load', () => memory(setting, earlier)),
    ];
  } finally {
    await setting.close();
  }
}

async function usageOutcomes(setting: Setting): Promise<Outcome[]> {
  const names = ['usage → durable debit', 'processor time of an event'] as const;
  say(names[0]);
  try {
    const { throughput, cost } = await usageToDebit(setting);
    return [throughput, cost];
  } catch (error) {
    const unmeasured = error instanceof Error ? error.message : String(error);
    return [
      { name: names[0], unmeasured },
      { name: names[1], unmeasured },
    ];
  }
}

const ceilingOf = (throughput: Outcome): number =>
  isMeasured(throughput) ? (throughput.controls[0]?.value ?? NaN) : NaN;

/** Shares of what the stack takes, in percent, and within how many milliseconds 99 of 100 are to be denied. */
const LOADS = [
  { percent: 50, goal: 1_000 },
  { percent: 70, goal: 500 },
];

/** Under shares of what was just measured; without that there are none. */
async function gateOutcomes(setting: Setting, throughput: Outcome): Promise<Outcome[]> {
  const most = isMeasured(throughput) ? (throughput.readings[0]?.value ?? 0) : 0;
  const outcomes: Outcome[] = [];
  for (const { percent, goal } of LOADS)
    outcomes.push(...shown(await latenciesUnder(setting, { percent, goal, rate: (most * percent) / 100 })));
  return outcomes;
}

async function latenciesUnder(setting: Setting, load: Load): Promise<Outcome[]> {
  const names = ['accepted → denied at the gate', 'paid → allowed at the gate'].map(
    (name) => `${name}, ${load.percent} % load`,
  );
  const missing = (unmeasured: string): Outcome[] => names.map((name) => ({ name, unmeasured }));
  if (load.rate === 0) return missing('the load it runs under was not measured');
  say(names.join('; '));
  try {
    const { denied, allowed } = await gateLatencies(setting, load);
    return [denied, allowed];
  } catch (error) {
    return missing(error instanceof Error ? error.message : String(error));
  }
}

async function told(name: string, measure: () => Promise<Figure>): Promise<Outcome> {
  say(name);
  const outcome = await attempt(name, measure);
  shown([outcome]);
  return outcome;
}

/** Each figure is told as soon as it is there: a run takes long. */
function shown(outcomes: Outcome[]): Outcome[] {
  for (const line of linesOf(outcomes)) process.stdout.write(`${line}\n`);
  return outcomes;
}

const say = (text: string): void => void process.stderr.write(`${text} …\n`);

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  },
);
