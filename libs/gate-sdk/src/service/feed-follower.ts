import type { HelloMessage } from '@tallygate/contracts';
import type { Clock, Instant } from '@tallygate/kernel';
import { FeedClock } from '../domain/feed-clock';
import type { FeedCopy } from './feed-copy';
import type { FeedTransport } from './feed-transport';
import type { GateLog } from './gate-log';

export interface FollowerParts {
  readonly gateId: string;
  /** Restricts the feed to one tenant; empty for all that the credential may see. */
  readonly tenantId: string;
  /** Tried in turn: the next one when one brings nothing. */
  readonly transports: readonly FeedTransport[];
  readonly copy: FeedCopy;
  readonly clock: Clock;
  /** 0 ≤ n < 1; spreads the return of many gates. */
  readonly random: () => number;
  readonly log: GateLog;
  /** After every change of what is known, and of whether the feed is up. */
  readonly onChange: () => void;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;
const WATCH_MS = 500;

/** Keeps the copy following: connects, resumes where it was, starts over when it must, and comes back after a break. */
export class FeedFollower {
  private attempt: AbortController | null = null;
  private running: Promise<void> | null = null;
  private wake: (() => void) | null = null;
  private stopped = false;
  private isCut = false;
  private isUp = false;
  private lastHeard: Instant | null = null;
  private failures = 0;
  private turn = 0;

  constructor(private readonly parts: FollowerParts) {}

  /** Whether the feed is proved to be up right now. */
  get up(): boolean {
    return this.isUp;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Loses the service on purpose, as a broken network would. */
  cut(): void {
    this.isCut = true;
    this.attempt?.abort();
    this.down();
  }

  join(): void {
    this.isCut = false;
    this.failures = 0;
    this.wake?.();
  }

  get severed(): boolean {
    return this.isCut;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.attempt?.abort();
    this.wake?.();
    await this.running;
    for (const transport of this.parts.transports) transport.close();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      if (!this.isCut) await this.follow();
      if (!this.stopped) await this.pause();
    }
  }

  private async follow(): Promise<void> {
    const transport = this.parts.transports[this.turn % this.parts.transports.length];
    if (transport === undefined) return;
    const attempt = new AbortController();
    this.attempt = attempt;
    this.lastHeard = this.parts.clock.now();
    const watch = setInterval(() => this.watch(attempt), WATCH_MS);
    watch.unref();
    let brought = 0;
    const end = await transport
      .follow(
        this.hello(),
        (message) => {
          if (attempt.signal.aborted) return null;
          brought += 1;
          return this.take(message);
        },
        attempt.signal,
      )
      .then(() => 'the feed ended', asText);
    clearInterval(watch);
    this.down();
    if (brought === 0) this.turn += 1;
    if (this.stopped || this.isCut) return;
    this.failures = brought > 0 ? 1 : this.failures + 1;
    this.parts.log.warn({ transport: transport.name, cause: end, failures: this.failures }, 'feed lost');
  }

  private take(message: Parameters<FeedCopy['receive']>[0]) {
    this.lastHeard = this.parts.clock.now();
    const reply = this.parts.copy.receive(message);
    const up = this.parts.copy.state !== null;
    if (up && !this.isUp) this.parts.log.info({ token: this.parts.copy.token }, 'feed up');
    this.isUp = up;
    if (reply?.message === 'nack') this.parts.log.warn({ ...reply.nack }, 'feed refused, starting over');
    this.parts.onChange();
    return reply;
  }

  /** A stream that says nothing for longer than a few bookmarks is dead, whatever its socket says. */
  private watch(attempt: AbortController): void {
    const silence = this.parts.clock.now() - (this.lastHeard ?? 0);
    if (silence > FeedClock.LONGEST_SILENCE_MICROS) attempt.abort();
  }

  private hello(): HelloMessage {
    const { gateId, tenantId, copy } = this.parts;
    return { gateId, tenantId, resumeToken: copy.token ?? '', digest: copy.digest ?? '' };
  }

  private down(): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.parts.onChange();
  }

  private async pause(): Promise<void> {
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures, 10));
    const ms = most * (0.5 + this.parts.random() / 2);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = null;
  }
}

function asText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
