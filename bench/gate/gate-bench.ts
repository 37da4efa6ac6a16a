import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { load } from './load';

export interface ContenderFigure {
  readonly name: 'bare' | 'gate';
  readonly perSecond: number;
  /** By the server's own processor time, so that neighbours on a shared machine do not count. */
  readonly perCoreSecond: number;
}

export interface GateFigures {
  readonly bare: ContenderFigure;
  readonly gate: ContenderFigure;
  /** Of the bare server's rate: the middle of the rounds. */
  readonly ratio: number;
  readonly ratioPerCore: number;
}

export interface GateBenchOptions {
  readonly rounds: number;
  readonly seconds: number;
}

/** By then both run compiled code. */
const WARM_UP_SECONDS = 2;

interface Round {
  readonly perSecond: number;
  readonly perCoreSecond: number;
}

/**
 * Agent and bare server in turns under the same load from this process. Each round has processes of its own: two of the
 * same server differ by more than two rounds of one, for where its code and data come to lie.
 */
export async function benchGate({ rounds, seconds }: GateBenchOptions): Promise<GateFigures> {
  const results: Record<'bare' | 'gate', Round[]> = { bare: [], gate: [] };
  for (let round = 0; round < rounds; round += 1) {
    const contenders = [await Contender.start('bare'), await Contender.start('gate')] as const;
    try {
      for (const contender of contenders) await contender.round(WARM_UP_SECONDS);
      for (const contender of contenders) results[contender.name].push(await contender.round(seconds));
    } finally {
      for (const contender of contenders) contender.stop();
    }
  }
  return figuresOf(results);
}

class Contender {
  private constructor(
    readonly name: 'bare' | 'gate',
    private readonly process: ChildProcess,
    private readonly url: string,
  ) {}

  static async start(name: 'bare' | 'gate'): Promise<Contender> {
    const child = fork(join(__dirname, 'contender.js'), [name]);
    const [{ url }] = (await once(child, 'message')) as [{ url: string }];
    return new Contender(name, child, url);
  }

  async round(seconds: number): Promise<Round> {
    const before = await this.cpuSeconds();
    const { requests, seconds: took } = await load(this.url, seconds);
    const cpu = (await this.cpuSeconds()) - before;
    return { perSecond: requests / took, perCoreSecond: requests / cpu };
  }

  stop(): void {
    this.process.disconnect();
  }

  private async cpuSeconds(): Promise<number> {
    this.process.send('cpu');
    const [{ cpu }] = (await once(this.process, 'message')) as [{ cpu: NodeJS.CpuUsage }];
    return (cpu.user + cpu.system) / 1e6;
  }
}

function figuresOf({ bare, gate }: Record<'bare' | 'gate', readonly Round[]>): GateFigures {
  const each = (pick: (round: Round) => number) =>
    gate.map((round, at) => pick(round) / pick(bare[at] as Round));
  return {
    bare: figureOf('bare', bare),
    gate: figureOf('gate', gate),
    ratio: middle(each((round) => round.perSecond)),
    ratioPerCore: middle(each((round) => round.perCoreSecond)),
  };
}

function figureOf(name: 'bare' | 'gate', rounds: readonly Round[]): ContenderFigure {
  return {
    name,
    perSecond: middle(rounds.map((round) => round.perSecond)),
    perCoreSecond: middle(rounds.map((round) => round.perCoreSecond)),
  };
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
