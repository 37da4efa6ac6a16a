import { formatInstant, invariant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { INTERNAL_HEADER } from '@tallygate/platform';
import type { ClockParticipant } from '@tallygate/platform';
import { ClockPeer, ClockPeers } from '../service/test-clock.ports';

/** A service in this very process. */
export class LocalClockPeer extends ClockPeer {
  constructor(
    readonly name: string,
    private readonly participant: ClockParticipant,
  ) {
    super();
  }

  override arrive(tenantId: string, now: Instant): Promise<void> {
    return this.participant.arrive(tenantId, now);
  }

  override settle(tenantId: string, now: Instant): Promise<{ readonly activity: number }> {
    return this.participant.settle(tenantId, now);
  }

  override nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    return this.participant.nextDue(tenantId, after);
  }
}

export interface HttpClockPeerOptions {
  readonly name: string;
  readonly url: string;
  readonly internalSecret: string;
  readonly timeoutMs?: number;
}

/** A service in a process of its own, by the platform's `/internal/clock`. */
export class HttpClockPeer extends ClockPeer {
  readonly name: string;

  constructor(private readonly options: HttpClockPeerOptions) {
    super();
    this.name = options.name;
  }

  override async arrive(tenantId: string, now: Instant): Promise<void> {
    await this.ask('arrive', { tenantId, now: formatInstant(now) });
  }

  override async settle(tenantId: string, now: Instant): Promise<{ readonly activity: number } | null> {
    const answer = await this.ask('settle', { tenantId, now: formatInstant(now) });
    return answer === null ? null : { activity: Number(answer['activity']) };
  }

  override async nextDue(tenantId: string, after: Instant): Promise<Instant | null> {
    const answer = await this.ask('next-due', { tenantId, after: formatInstant(after) });
    const text = answer?.['nextDue'] ?? null;
    if (text === null) return null;
    const parsed = parseInstant(text);
    invariant(parsed.ok, `${this.name} named a due instant that is none: ${String(text)}`);
    return parsed.value;
  }

  /** Null only when nobody listens; a service that is there but fails stops the clock loudly. */
  private async ask(path: string, body: object): Promise<Record<string, unknown> | null> {
    const { url, internalSecret, timeoutMs = 55_000 } = this.options;
    const response = await fetch(new URL(`/internal/clock/${path}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', [INTERNAL_HEADER]: internalSecret },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'TimeoutError') throw error;
      return null;
    });
    if (response === null) return null;
    if (response.ok) return (await response.json()) as Record<string, unknown>;
    throw new Error(`${this.name} does not come to rest: ${response.status} ${await response.text()}`);
  }
}

export class FixedClockPeers extends ClockPeers {
  constructor(private readonly peers: readonly ClockPeer[]) {
    super();
  }

  override all(): readonly ClockPeer[] {
    return this.peers;
  }
}
