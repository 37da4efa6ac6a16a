import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { Controls } from '../../ledger/controls';
import { poolsOf, race } from '../../ledger/race';
import type { Take } from '../../ledger/race';
import type { Customer } from '../../ledger/workload';
import type { Setting } from '../setting';

const DATABASE = 'bench_control';
const WRITERS = 2;
const SLICE = 4_000;
const ROW_EVENTS = 1_000;

/** The two controls of the throughput, in a database of their own on the stack's server. */
export class ControlRounds {
  private constructor(
    private readonly controls: Controls,
    private readonly pools: readonly Customer[][],
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
    return new ControlRounds(controls, poolsOf(customers, WRITERS));
  }

  /** @returns events a second of all writers together */
  ceiling(events: number): Promise<number> {
    const slices = Math.ceil(events / WRITERS / SLICE);
    return this.race((writer, message) => this.controls.slice(writer, message), slices, SLICE);
  }

  row(): Promise<number> {
    return this.race((writer, message) => this.controls.rowAtATime(writer, message), 1, ROW_EVENTS);
  }

  transfer(): Promise<number> {
    return this.race((writer, message) => this.controls.transferAtATime(writer, message), 1, ROW_EVENTS);
  }

  close(): Promise<void> {
    return this.controls.close();
  }

  private race(take: Take, slices: number, sliceSize: number): Promise<number> {
    const shape = { customers: 0, zipf: 0, randomIds: false, writers: WRITERS, sliceSize, slices };
    return race(take, this.pools, shape);
  }
}
