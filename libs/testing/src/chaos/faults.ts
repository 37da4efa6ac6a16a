import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { RealStack } from '../stack/real-stack';
import type { Fault, Kill, Stop, Termination } from './kill-plan';

export interface FaultCounts {
  kills: number;
  pauses: number;
  /** Of these, ledgers that had read a slice and not yet claimed its partition. */
  pausesAtPoint: number;
  terminations: number;
}

/** A ledger that owns nothing at the moment, or is being taken over from, passes no such point. */
const MOST_MISSED = 3;

/** Does to a running stack what a plan says, one after the other, and says so. */
export class Faults {
  private missed = 0;
  readonly counts: FaultCounts = { kills: 0, pauses: 0, pausesAtPoint: 0, terminations: 0 };

  constructor(
    private readonly stack: RealStack,
    private readonly say: (line: string) => void,
  ) {}

  async inflict(plan: Iterable<Fault>): Promise<void> {
    for (const fault of plan) {
      await delay(fault.afterMs);
      if (fault.fault === 'kill') await this.kill(fault);
      else if (fault.fault === 'pause') await this.pause(fault);
      else await this.terminate(fault);
    }
  }

  /** A fault that never happens proves nothing. */
  get idle(): readonly string[] {
    if (this.missed < MOST_MISSED || this.counts.pausesAtPoint > 0) return [];
    return [
      `none of ${this.missed} pauses met a ledger that claims a slice's partition: is its stop point passed?`,
    ];
  }

  private async kill({ victims }: Kill): Promise<void> {
    const present = victims.filter((victim) => this.stack.pids().has(victim));
    await Promise.all(present.map((victim) => this.stack.killProcess(victim)));
    this.counts.kills += present.length;
    const killed = performance.now();
    await Promise.all(present.map((victim) => this.stack.startProcess(victim)));
    const tookMs = Math.round(performance.now() - killed);
    this.say(`kill ${this.counts.kills}: ${present.join(' and ')}, ready again after ${tookMs} ms`);
  }

  private async pause({ victim, forMs, atPoint }: Stop): Promise<void> {
    if (!this.stack.pids().has(victim)) return;
    const there = atPoint && (await this.stack.pauseAtPoint(victim));
    if (!atPoint) this.stack.pauseProcess(victim);
    if (there) this.counts.pausesAtPoint += 1;
    else if (atPoint) this.missed += 1;
    await delay(forMs);
    this.stack.resumeProcess(victim);
    this.counts.pauses += 1;
    this.say(`pause ${this.counts.pauses}: ${victim} for ${forMs} ms${there ? ', before it claimed' : ''}`);
  }

  private async terminate({ share }: Termination): Promise<void> {
    const client = new Client({ connectionString: this.stack.databaseUrl });
    await client.connect();
    const { rowCount } = await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where usename like 'tallygate\\_%' and abs(hashtext(pid::text)) % 100 < $1`,
      [share * 100],
    );
    await client.end();
    this.counts.terminations += rowCount ?? 0;
    this.say(`PostgreSQL ended ${rowCount ?? 0} connections`);
  }
}
