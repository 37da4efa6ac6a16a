import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Journal } from './journal';
import type { Delivery, ProviderRecord } from './record';

/** Each account signs with a secret of its own, derived from the one both sides are configured with. */
export function accountSecret(secret: string, tenant: string, mode: string): string {
  return createHmac('sha256', secret).update(`sandbox webhooks ${mode} ${tenant}`).digest('base64');
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
const ANSWER_WITHIN_MS = 10_000;

/** Sends what is queued, at least once and in order per account, until the receiver takes or refuses it. */
export class WebhookSender {
  private running: Promise<void> | null = null;
  private again = false;
  private timer: NodeJS.Timeout | null = null;
  private pauseMs = FIRST_PAUSE_MS;
  private sentCount = 0;
  private stopped = false;

  constructor(
    private readonly record: ProviderRecord,
    private readonly journal: Journal,
    private readonly secret: string,
    private target: string | null,
  ) {}

  /** Grows with every delivery that ended, so that a coordinator sees when nothing happens any more. */
  get sent(): number {
    return this.sentCount;
  }

  pointTo(target: string): void {
    this.target = target;
    this.wake();
  }

  wake(): void {
    if (this.stopped) return;
    this.again = true;
    this.running ??= this.drain().finally(() => {
      this.running = null;
    });
  }

  /** Tries everything that is not held once. A receiver that is down keeps its webhooks for later. */
  async settle(): Promise<void> {
    this.wake();
    await this.running;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    await this.running;
  }

  private async drain(): Promise<void> {
    let failed = false;
    while (this.again && !this.stopped) {
      this.again = false;
      const down = new Set<string>();
      for (const delivery of [...this.record.deliveries.values()]) {
        if (delivery.held || down.has(delivery.tenant)) continue;
        if (!(await this.deliver(delivery))) down.add(delivery.tenant);
      }
      failed = down.size > 0;
    }
    if (failed) this.later();
    else this.pauseMs = FIRST_PAUSE_MS;
  }

  private later(): void {
    if (this.timer !== null || this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.wake();
    }, this.pauseMs);
    this.timer.unref();
    this.pauseMs = Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
  }

  /** @returns false when the receiver could not be reached or asks to try again later */
  private async deliver(delivery: Delivery): Promise<boolean> {
    for (let copy = 0; copy < delivery.copies; copy += 1) {
      const status = await this.post(delivery);
      if (status === null || status >= 500 || status === 429) return false;
    }
    this.record.apply({ t: 'done', id: delivery.id });
    await this.journal.append([{ t: 'done', id: delivery.id }]);
    this.sentCount += 1;
    return true;
  }

  private async post({ tenant, body, secret }: Delivery): Promise<number | null> {
    if (this.target === null) return null;
    const { id, mode } = JSON.parse(body) as { id: string; mode: string };
    const account = secret === 'right' ? this.secret : `${this.secret} but wrong`;
    const sentAt = new Date();
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
      'webhook-signature': new Webhook(accountSecret(account, tenant, mode)).sign(id, sentAt, body),
    };
    try {
      const answer = await fetch(this.target, {
        method: 'POST',
        body,
        headers,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      await answer.body?.cancel();
      return answer.status;
    } catch {
      return null;
    }
  }
}
