import { setTimeout as pace } from 'node:timers/promises';
import { cloudEvent } from '@tallygate/testing';
import { below, quantile, reading } from '../figure';
import type { Figure, Reading } from '../figure';
import { ASKED_EVERY_MS, GateProbe } from '../gate-probe';
import { Producer } from '../load/producer';
import { LOAD_PREFIX } from '../setting';
import type { Setting } from '../setting';

const PATIENCE_MS = 30_000;
/** The load is steady by then: connections are open and the generator's code is compiled. */
const STEADY_AFTER_MS = 15_000;
/** The first customers find processes whose code is not compiled yet: they are not measured. */
const WARM_UP_PROBES = 10;
const CREDIT = '1';
/** What exhausts it at 0.002 a token. */
const TOKENS = 500;

interface Samples {
  readonly overHttp: number[];
  readonly overKafka: number[];
  readonly paid: number[];
  readonly topUpCalls: number[];
}

function noSamples(): Samples {
  return { overHttp: [], overKafka: [], paid: [], topUpCalls: [] };
}

export interface GateLatencies {
  readonly denied: Figure;
  readonly allowed: Figure;
}

/** What flows beside the customers who are timed. */
export interface Load {
  /** Of what the stack takes, in percent. */
  readonly percent: number;
  /** Events a second. */
  readonly rate: number;
  /** Within how many milliseconds 99 of 100 are to be denied. */
  readonly goal: number;
}

/** Both ways through the gate, customer after customer, while usage of others flows. */
export async function gateLatencies(setting: Setting, load: Load): Promise<GateLatencies> {
  const probes = await createProbes(setting, load);
  const gate = new GateProbe(setting.stack.agentUrl, setting.tenant.id);
  await setting.debits.settled();
  const running = startLoad(setting, load);
  await pace(STEADY_AFTER_MS);
  const samples = noSamples();
  try {
    for (const [place, probe] of probes.entries())
      await sample(setting, gate, probe, place, place < WARM_UP_PROBES ? noSamples() : samples);
  } finally {
    gate.close();
    await running.stop();
  }
  await setting.debits.caughtUp();
  return { denied: deniedFigure(samples, load), allowed: allowedFigure(samples, load) };
}

interface Probe {
  readonly key: string;
  readonly apiKey: string;
}

async function createProbes({ tenant, size }: Setting, { percent }: Load): Promise<readonly Probe[]> {
  const probes = Array.from({ length: WARM_UP_PROBES + size.probes }, (_, place) => ({
    key: `probe-${percent}-${place}`,
    apiKey: `key-of-probe-${percent}-${place}`,
  }));
  await tenant.createCustomers(probes.map((probe) => ({ ...probe, plan: 'poor', paymentMethod: 'ok' })));
  for (const { key } of probes) await tenant.grant(key, CREDIT, `credit-${key}`);
  return probes;
}

function startLoad({ stack, tenant, size }: Setting, { percent, rate }: Load): Producer {
  return Producer.start({
    door: { kind: 'kafka', brokers: stack.brokers, tenantId: tenant.id },
    source: `load-${percent}`,
    customerPrefix: LOAD_PREFIX,
    customers: size.customers,
    perMessage: 1,
    count: null,
    rate,
  });
}

/** One customer: allowed, exhausted, denied, topped up, allowed. */
async function sample(
  setting: Setting,
  gate: GateProbe,
  probe: Probe,
  place: number,
  samples: Samples,
): Promise<void> {
  await gate.until(probe.apiKey, 200, PATIENCE_MS);
  const viaKafka = place % 2 === 1;
  const accepted = await exhaust(setting, probe, viaKafka);
  const denied = await gate.until(probe.apiKey, 402, PATIENCE_MS);
  (viaKafka ? samples.overKafka : samples.overHttp).push(denied - accepted);
  const asked = performance.now();
  const answer = await setting.tenant.topUp(probe.key, '5', `top-up-${probe.key}`);
  if (answer.status !== 201)
    throw new Error(`the top-up answered ${answer.status} ${JSON.stringify(answer.body)}`);
  const paid = performance.now();
  samples.topUpCalls.push(paid - asked);
  samples.paid.push((await gate.until(probe.apiKey, 200, PATIENCE_MS)) - paid);
}

/** @returns when the event was acknowledged */
async function exhaust({ stack, tenant }: Setting, { key }: Probe, viaKafka: boolean): Promise<number> {
  const event = cloudEvent({
    source: 'probe',
    id: `exhausts-${key}`,
    subject: key,
    tokens: TOKENS,
    time: new Date().toISOString(),
  });
  if (viaKafka) await stack.publishUsage(tenant.id, event);
  else {
    const answer = await tenant.sendUsage(event);
    if (answer.status >= 300)
      throw new Error(`usage was refused: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return performance.now();
}

function quantiles(name: string, samples: readonly number[]): Reading[] {
  return [
    reading(`${name}p50`, quantile(samples, 0.5), 'ms'),
    reading(`${name}p99`, quantile(samples, 0.99), 'ms'),
  ];
}

function deniedFigure({ overHttp, overKafka }: Samples, { percent, rate, goal }: Load): Figure {
  const all = quantiles('', [...overHttp, ...overKafka]);
  return {
    name: `accepted → denied at the gate, ${percent} % load`,
    readings: [...all, ...quantiles('over HTTP, ', overHttp), ...quantiles('over Kafka, ', overKafka)],
    controls: [],
    ratios: [],
    goals: all.slice(1).map((p99) => below(p99, goal)),
    how:
      `From the acknowledgement (HTTP 202, or Kafka’s) of the event that uses up a customer’s credit to the gate ` +
      `agent’s first 402, asked every ${ASKED_EVERY_MS} ms, while ${Math.round(rate)} events/s of other customers flow ` +
      `(${percent} % of the first figure) for ${STEADY_AFTER_MS / 1000} s already, what came before rolled up and sealed; ` +
      `${overHttp.length + overKafka.length} customers one after another, after ${WARM_UP_PROBES} that are not measured.`,
  };
}

function allowedFigure({ paid, topUpCalls }: Samples, { percent, rate }: Load): Figure {
  const readings = quantiles('', paid);
  return {
    name: `paid → allowed at the gate, ${percent} % load`,
    readings: [...readings, ...quantiles('the top-up call itself, ', topUpCalls)],
    controls: [],
    ratios: [],
    goals: readings.slice(1).map((p99) => below(p99, 1_000)),
    how:
      `From the answer “paid” to a top-up of an exhausted customer (the provider has captured) to the gate agent’s ` +
      `first 200, under the same load of ${Math.round(rate)} events/s.`,
  };
}
