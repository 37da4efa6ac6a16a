import type { LiveTenant } from '../load/live-tenant';
import type { SeededRandom } from '../load/seeded-random';
import type { ClientRecord, SentTopUp } from './client-record';

/** Clients that buy credit, and ask again with the same key until they are told what became of it. */
export class BuyerTraffic {
  private readonly pending = new Set<Promise<void>>();
  private again: SentTopUp[] = [];

  constructor(
    private readonly tenant: LiveTenant,
    private readonly customers: readonly string[],
    private readonly record: ClientRecord,
    private readonly random: SeededRandom,
  ) {}

  tick(): void {
    const key = `purchase-${this.record.topUps.size}`;
    const customer = this.random.pick(this.customers);
    const fresh: SentTopUp = { key, customer, amount: String(this.random.between(1, 100)), status: null };
    this.record.topUps.set(key, fresh);
    for (const topUp of [...this.again.splice(0), fresh]) this.buy(topUp);
  }

  async drain(patienceOver: () => boolean): Promise<void> {
    while ((this.again.length > 0 || this.pending.size > 0) && !patienceOver()) {
      for (const topUp of this.again.splice(0)) this.buy(topUp);
      await Promise.race([...this.pending, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
  }

  private buy(topUp: SentTopUp): void {
    const buying = this.ask(topUp).finally(() => this.pending.delete(buying));
    this.pending.add(buying);
  }

  private async ask(topUp: SentTopUp): Promise<void> {
    const answer = await this.tenant.topUp(topUp.customer, topUp.amount, topUp.key).catch(() => null);
    if (answer === null || answer.status >= 500) this.again.push(topUp);
    else topUp.status = answer.status;
    if (answer !== null && answer.status >= 400 && answer.status < 500)
      this.record.wrong(`a top-up with a good card answered ${answer.status} ${JSON.stringify(answer.body)}`);
  }
}
