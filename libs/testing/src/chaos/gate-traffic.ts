import { callHttp } from '../scenario/session';
import type { Answer } from '../scenario/session';
import type { ClientRecord } from './client-record';

export interface Consumer {
  readonly apiKey: string;
  /** What the gate may answer while parts of the system are down. */
  readonly may: readonly number[];
}

/** Consumers at the gate: one with credit must never be told to pay, one without must never pass. */
export class GateTraffic {
  private readonly pending = new Set<Promise<void>>();

  constructor(
    private readonly url: string,
    private readonly tenantId: string,
    private readonly consumers: Readonly<Record<string, Consumer>>,
    private readonly record: ClientRecord,
  ) {}

  tick(): void {
    for (const [name, consumer] of Object.entries(this.consumers)) {
      const asking = this.ask(name, consumer).finally(() => this.pending.delete(asking));
      this.pending.add(asking);
    }
  }

  /** Asks until the gate answers `status`: the state from which the run begins. */
  async reaches(name: string, status: number, patienceMs: number): Promise<void> {
    const consumer = this.consumers[name];
    const end = performance.now() + patienceMs;
    let last: Answer | null = null;
    while (performance.now() < end) {
      last = await this.answerTo(consumer?.apiKey ?? '').catch(() => null);
      if (last?.status === status) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(
      `the gate answers ${name} with ${last?.status ?? 'nothing'} ${JSON.stringify(last?.body)}, not ${status}`,
    );
  }

  async drain(): Promise<void> {
    await Promise.all(this.pending);
  }

  private async ask(name: string, consumer: Consumer): Promise<void> {
    const answer = await this.answerTo(consumer.apiKey).catch(() => null);
    this.record.gateAnswered(name, answer === null ? 'no answer' : String(answer.status));
    if (answer === null || consumer.may.includes(answer.status)) return;
    this.record.wrong(`the gate answered ${name} with ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  private answerTo(apiKey: string): Promise<Answer> {
    return callHttp(`${this.url}/authorize`, {
      headers: {
        authorization: `Bearer ${apiKey}`,
        'x-tallygate-tenant': this.tenantId,
        'x-tallygate-feature': 'completions',
      },
    });
  }
}
