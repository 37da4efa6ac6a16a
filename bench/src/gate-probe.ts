import { Agent, request } from 'node:http';

/** Asks a gate as tightly as one connection allows. */
export class GateProbe {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(
    private readonly url: string,
    private readonly tenantId: string,
  ) {}

  /**
   * Polls until the gate answers `status`.
   * @returns when that answer had come, on the monotonic clock, in ms
   * @throws when it did not come within `patienceMs`
   */
  async until(apiKey: string, status: number, patienceMs: number): Promise<number> {
    const end = performance.now() + patienceMs;
    let last: number;
    do {
      last = await this.ask(apiKey);
      const at = performance.now();
      if (last === status) return at;
    } while (performance.now() < end);
    throw new Error(`the gate answered ${last} and not ${status} within ${patienceMs / 1000} s`);
  }

  ask(apiKey: string): Promise<number> {
    const headers = {
      authorization: `Bearer ${apiKey}`,
      'x-tallygate-tenant': this.tenantId,
      'x-tallygate-feature': 'completions',
    };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}/authorize`, { agent: this.agent, headers }, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      });
      sent.once('error', reject);
      sent.end();
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
