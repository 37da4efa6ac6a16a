import { randomBytes, randomInt } from 'node:crypto';
import type { Identity } from '@tallygate/decision';
import { NANO } from '@tallygate/kernel';
import type { Clock, Ids, Instant, Nano } from '@tallygate/kernel';
import { FeedClock } from './domain/feed-clock';
import type { GateRequest } from './domain/gate-request';
import { TenantClocks } from './domain/tenant-clocks';
import { usageEvent } from './domain/usage-event';
import { billedTo } from './domain/verdict';
import type { Verdict } from './domain/verdict';
import { FileSpool } from './file/file-spool';
import { FileStateCopy } from './file/file-state-copy';
import { GrpcFeed } from './grpc/grpc-feed';
import { GrpcLiveCheck } from './grpc/grpc-live-check';
import { HttpFeed } from './http/http-feed';
import { HttpLiveCheck } from './http/http-live-check';
import { CredentialIdentities } from './service/credential-identities';
import { DecisionIds } from './service/decision-ids';
import { FeedCopy } from './service/feed-copy';
import { FeedFollower } from './service/feed-follower';
import type { FeedTransport } from './service/feed-transport';
import { Gate } from './service/gate';
import type { Mode } from './service/gate';
import { noLog } from './service/gate-log';
import type { GateLog } from './service/gate-log';
import type { LiveCheck } from './service/live-check';
import { NoStateCopy } from './service/state-copy';
import type { StateCopy } from './service/state-copy';
import { SteadyClock } from './service/steady-clock';
import { UnknownKeys } from './service/unknown-keys';
import { UsageEmitter } from './service/usage-emitter';
import type { UsageCounts } from './service/usage-emitter';
import type { UsageSink } from './service/usage-sink';
import { MemorySpool } from './service/usage-spool';

export interface GateOptions {
  /** One name per running gate; also the source of the usage it reports. */
  readonly gateId: string;
  /** A tenant's API key of scope `gate`, or the installation's gate credential, which sees every tenant. */
  readonly credential: string;
  /** Restricts the gate to one tenant; needed with the installation's credential unless requests name theirs. */
  readonly tenantId?: string;
  /** The entitlement service over gRPC: `host:port`, `grpc://…` or `grpcs://…`. */
  readonly grpcUrl?: string;
  /** The same service over HTTP: the fallback, or the only way where gRPC does not get through. */
  readonly url?: string;
  /** File that keeps the state for a start without the service. */
  readonly diskCopy?: string;
  readonly usage?: {
    readonly sink: UsageSink;
    /** Folder that keeps usage until it is delivered; in memory when not given. */
    readonly spoolDir?: string;
    /** Most events that wait. */
    readonly capacity?: number;
  };
  /** How many gates share the traffic; each lets its share of every rate limit pass. */
  readonly gates?: number;
  /** How long a request with an unknown key may wait for the service. */
  readonly liveCheckMs?: number;
  /** After which a request that was never finished gives its concurrency slot back. */
  readonly longestOpenMs?: number;
  readonly log?: GateLog;
  /** For tests and for hosts that bring their own. */
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly transports?: readonly FeedTransport[];
  readonly liveCheck?: LiveCheck;
}

/** A request as a service in process knows it; see `GateRequest` for what each field means. */
export interface Ask {
  readonly credential?: string | null;
  readonly subject?: string | null;
  readonly customer?: string | null;
  readonly tenantId?: string | null;
  readonly features?: readonly string[];
  readonly units?: Nano;
  readonly maxPrice?: Nano | null;
  readonly groups?: Readonly<Record<string, string>>;
  readonly open?: string | true;
  readonly path?: string;
}

/** Usage of a request that passed. */
export interface Usage {
  /** CloudEvents type: what the meters listen for. */
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The request's own; the decision's when not given. */
  readonly id?: string;
}

export interface GateStatus {
  readonly gateId: string;
  readonly up: boolean;
  /** Microseconds since the feed was last heard of; null when it never was. */
  readonly ageMicros: number | null;
  readonly revision: string | null;
  readonly digest: string | null;
  readonly entries: number;
  readonly drifts: number;
  readonly inFlight: number;
  readonly liveChecks: { readonly asked: number; readonly unanswered: number };
  readonly usage: UsageCounts | null;
}

const LIVE_CHECK_MS = 20;
const LIVE_CHECKS_AT_ONCE = 64;
const LONGEST_OPEN_MS = 3_600_000;
const USAGE_CAPACITY = 100_000;
const USAGE_FLUSH_MS = 100;
const USAGE_BATCH = 500;

/** A gate inside a Node process: follows the feed and decides without leaving the process. */
export class GateClient {
  private readonly clock: Clock;
  private readonly feedClock = new FeedClock();
  private readonly tenantClocks = new TenantClocks();
  private readonly disk: StateCopy;
  private readonly copy: FeedCopy;
  private readonly follower: FeedFollower;
  private readonly unknown: UnknownKeys;
  private readonly live: LiveCheck | null;
  private readonly gate: Gate;
  private readonly emitter: UsageEmitter | null;
  private readonly identities = new CredentialIdentities();
  private changed: (() => void)[] = [];
  private wasUp = false;

  private constructor(private readonly options: GateOptions) {
    const log = options.log ?? noLog;
    this.clock = options.clock ?? new SteadyClock();
    this.disk = options.diskCopy === undefined ? new NoStateCopy() : new FileStateCopy(options.diskCopy, log);
    this.copy = new FeedCopy(this.feedClock, this.clock, this.disk);
    this.live = options.liveCheck ?? liveCheckOf(options);
    this.follower = this.followerOf(log);
    this.unknown = new UnknownKeys(this.live, this.clock, {
      withinMs: options.liveCheckMs ?? LIVE_CHECK_MS,
      mostAtOnce: LIVE_CHECKS_AT_ONCE,
      canAsk: () => !this.follower.severed,
    });
    this.gate = this.gateOf();
    this.emitter = emitterOf(options, log);
  }

  /** Takes up what is kept on disk and begins to follow. It may decide at once: what it knows, it knows. */
  static async start(options: GateOptions): Promise<GateClient> {
    const client = new GateClient(options);
    await client.copy.restore();
    await client.emitter?.start();
    client.follower.start();
    return client;
  }

  /** Decides, and uses up rate limits and a slot where one is asked for. A promise only for an unknown key. */
  authorize(ask: Ask): Verdict | Promise<Verdict> {
    return this.decide(this.requestOf(ask), 'use');
  }

  /** The same answer, using nothing. */
  preflight(ask: Ask): Verdict | Promise<Verdict> {
    return this.decide(this.requestOf(ask), 'look');
  }

  decide(request: GateRequest, mode: Mode): Verdict | Promise<Verdict> {
    return this.gate.decide(request, mode);
  }

  /** Ends a request that keeps a slot: by its decision's id, or by its name; false when there is none. */
  finish(open: {
    readonly decisionId?: string | null;
    readonly name?: string | null;
    readonly tenantId?: string | null;
  }): boolean {
    const tenantId = this.options.tenantId ?? open.tenantId ?? null;
    return this.gate.finish(tenantId, open.decisionId ?? null, open.name ?? null);
  }

  /** Reports usage of a request that passed, without waiting; false when it was not accepted (and counted as dropped). */
  report(verdict: Verdict, { type, data, id }: Usage): boolean {
    const billed = billedTo(verdict);
    if (this.emitter === null || billed === null) return false;
    const at = this.nowOf(billed.tenantId);
    const source = this.options.gateId;
    const event = usageEvent({
      source,
      id: id ?? verdict.decisionId,
      type,
      subject: billed.subject,
      at,
      data,
    });
    return this.emitter.report({ tenantId: billed.tenantId, event });
  }

  /** Who asks, from what a request carried. Whoever names the subject has authenticated it; else the credential counts. */
  identityOf({ credential, subject, customer }: Pick<Ask, 'credential' | 'subject' | 'customer'>): Identity {
    if (subject != null && subject !== '') return { kind: 'subject', subject };
    if (customer != null && customer !== '') return { kind: 'customer', key: customer };
    if (credential == null || credential === '') return { kind: 'none' };
    return this.identities.of(credential);
  }

  /** Who asks, by an `Authorization: Bearer` header as it came; null for another scheme. */
  identityOfAuthorization(header: string): Identity | null {
    return this.identities.ofAuthorization(header);
  }

  /** Waits until the condition holds, looking after every change of the feed. */
  async until(holds: (status: GateStatus) => boolean): Promise<void> {
    while (!holds(this.status())) await new Promise<void>((resolve) => this.changed.push(resolve));
  }

  /** Loses feed and live checks, as a broken network would; usage still goes out. */
  cut(): void {
    this.follower.cut();
  }

  join(): void {
    this.follower.join();
  }

  /** A test tenant's virtual clock was moved: the gate flips by it also while it is cut off. */
  moveClock(tenantId: string, now: Instant): void {
    this.tenantClocks.move(tenantId, now);
  }

  /** Resolves when the sink has taken all usage that was reported. */
  async usageDelivered(): Promise<void> {
    await this.emitter?.drained();
  }

  status(): GateStatus {
    return {
      gateId: this.options.gateId,
      up: this.follower.up,
      ageMicros: this.feedClock.age(this.clock.now()),
      revision: this.copy.token,
      digest: this.copy.digest,
      entries: this.copy.state?.size ?? 0,
      drifts: this.copy.drifts,
      inFlight: this.gate.inFlight,
      liveChecks: { asked: this.unknown.asked, unanswered: this.unknown.unanswered },
      usage: this.emitter?.counts ?? null,
    };
  }

  async close(): Promise<void> {
    await this.follower.stop();
    this.live?.close();
    await this.emitter?.stop();
    await this.disk.close();
  }

  private requestOf(ask: Ask): GateRequest {
    return {
      tenantId: this.options.tenantId ?? ask.tenantId ?? null,
      identity: this.identityOf(ask),
      features: ask.features ?? [],
      units: ask.units ?? NANO,
      maxPrice: ask.maxPrice ?? null,
      groups: ask.groups,
      open: ask.open,
      path: ask.path,
    };
  }

  private nowOf(tenantId: string): Instant {
    const virtual = this.tenantClocks.moment(this.copy.state, tenantId, this.follower.up);
    return virtual?.now ?? this.feedClock.now(this.clock.now());
  }

  private followerOf(log: GateLog): FeedFollower {
    return new FeedFollower({
      gateId: this.options.gateId,
      tenantId: this.options.tenantId ?? '',
      transports: this.options.transports ?? transportsOf(this.options),
      copy: this.copy,
      clock: this.clock,
      random: () => randomInt(2 ** 32) / 2 ** 32,
      log,
      onChange: () => this.raise(),
    });
  }

  private gateOf(): Gate {
    return new Gate({
      copy: this.copy,
      feedClock: this.feedClock,
      tenantClocks: this.tenantClocks,
      clock: this.clock,
      ids: this.options.ids ?? new DecisionIds(() => this.clock.now() / 1_000, randomBytes(8)),
      unknown: this.unknown,
      limits: {
        gates: this.options.gates ?? 1,
        longestOpenMs: this.options.longestOpenMs ?? LONGEST_OPEN_MS,
      },
      feedIsUp: () => this.follower.up,
    });
  }

  private raise(): void {
    if (this.follower.up && !this.wasUp) this.live?.warm();
    this.wasUp = this.follower.up;
    const waiting = this.changed;
    this.changed = [];
    for (const resolve of waiting) resolve();
  }
}

function transportsOf({ grpcUrl, url, credential }: GateOptions): readonly FeedTransport[] {
  return [
    ...(grpcUrl === undefined ? [] : [new GrpcFeed({ url: grpcUrl, credential })]),
    ...(url === undefined ? [] : [new HttpFeed({ url, credential })]),
  ];
}

function liveCheckOf({ grpcUrl, url, credential }: GateOptions): LiveCheck | null {
  if (grpcUrl !== undefined) return new GrpcLiveCheck({ url: grpcUrl, credential });
  return url === undefined ? null : new HttpLiveCheck({ url, credential });
}

function emitterOf({ usage }: GateOptions, log: GateLog): UsageEmitter | null {
  if (usage === undefined) return null;
  const spool = usage.spoolDir === undefined ? new MemorySpool() : new FileSpool(usage.spoolDir);
  const capacity = usage.capacity ?? USAGE_CAPACITY;
  const options = { capacity, flushMs: USAGE_FLUSH_MS, batch: USAGE_BATCH };
  return new UsageEmitter(usage.sink, spool, options, log);
}
