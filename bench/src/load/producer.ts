import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Which way usage comes in. */
export type Door =
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly tenantId: string }
  | { readonly kind: 'http'; readonly url: string; readonly apiKey: string };

export interface ProducerOrder {
  readonly door: Door;
  /** `source` of the events; their ids count from 0. */
  readonly source: string;
  /** Keys `<prefix>0` to `<prefix>n-1`. */
  readonly customerPrefix: string;
  readonly customers: number;
  /** Exponent of the Zipf distribution over them; 0 when not given: uniform. */
  readonly zipf?: number;
  /** Events in one Kafka message or request; 1: a structured CloudEvent, else a JSON array of them. */
  readonly perMessage: number;
  /** How many events; null: until stopped. */
  readonly count: number | null;
  /** Events a second, sent whatever became of earlier ones; null: as fast as Kafka takes them. */
  readonly rate: number | null;
}

export interface Produced {
  readonly events: number;
  readonly seconds: number;
  /** Processor time of the producer. */
  readonly cpuSeconds: number;
}

/** The generator of load runs in a process of its own, so that it delays no measurement taken here. */
export class Producer {
  private constructor(
    private readonly child: ChildProcess,
    readonly done: Promise<Produced>,
  ) {}

  static start(order: ProducerOrder): Producer {
    const child = fork(join(__dirname, 'producer.main.js'), [JSON.stringify(order)]);
    const done = new Promise<Produced>((resolve, reject) => {
      child.once('message', (produced) => resolve(produced as Produced));
      child.once('exit', (code) =>
        reject(new Error(`the producer ended with code ${code} before it was done`)),
      );
    });
    done.catch(() => undefined);
    return new Producer(child, done);
  }

  /** Ends the load; resolves when everything sent is acknowledged. */
  async stop(): Promise<Produced> {
    if (this.child.connected) this.child.send('stop');
    const produced = await this.done;
    if (this.child.exitCode === null) await once(this.child, 'exit');
    return produced;
  }
}
