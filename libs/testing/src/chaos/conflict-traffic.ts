import { TENANT_HEADER } from '@tallygate/platform';
import type { EventBus } from '@tallygate/platform';
import type { LiveTenant } from '../load/live-tenant';
import type { SeededRandom } from '../load/seeded-random';
import { cloudEvent } from '../load/usage';
import type { Usage } from '../load/usage';
import type { ClientRecord } from './client-record';

const FIRST_WAIT_MS = 1_000;

/**
 * A client that sends other events under identities that it used before. Each must be refused at the door or end as a
 * dead letter. Only identities that were acknowledged over HTTP: those lie in the customer's partition already, so the
 * first payload is surely the first.
 */
export class ConflictTraffic {
  private readonly pending = new Set<Promise<void>>();
  private readonly taken = new Set<string>();

  constructor(
    private readonly tenant: LiveTenant,
    private readonly bus: EventBus,
    private readonly record: ClientRecord,
    private readonly random: SeededRandom,
  ) {}

  tick(): void {
    const known = this.record.acknowledged;
    if (known.length === 0) return;
    const first = this.random.pick(known);
    if (!first.id.startsWith('http-') || this.taken.has(first.id)) return;
    this.taken.add(first.id);
    const other = { ...first, tokens: first.tokens + 1 };
    const sending = this.send(other).finally(() => this.pending.delete(sending));
    this.pending.add(sending);
  }

  async drain(): Promise<void> {
    await Promise.all(this.pending);
  }

  private async send(event: Usage): Promise<void> {
    const door = this.random.chance(0.5) ? 'http' : 'kafka';
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, 8_000)) {
      const outcome = await (door === 'http' ? this.overHttp(event) : this.overKafka(event));
      if (outcome !== 'again') {
        this.record.conflicts.set(event.id, outcome);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  private async overHttp(event: Usage): Promise<'refused' | 'taken' | 'again'> {
    const answer = await this.tenant.sendUsage(cloudEvent(event)).catch(() => null);
    if (answer === null || answer.status >= 500) return 'again';
    if (answer.status === 409) return 'refused';
    if (answer.status !== 202)
      this.record.wrong(`a conflict was answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return 'taken';
  }

  private async overKafka(event: Usage): Promise<'taken' | 'again'> {
    const headers = { [TENANT_HEADER]: this.tenant.id };
    const value = Buffer.from(JSON.stringify(cloudEvent(event)));
    const sending = this.bus.publish('usage.raw', [{ key: event.id, value, headers }]);
    return sending.then(
      () => 'taken' as const,
      () => 'again' as const,
    );
  }
}
