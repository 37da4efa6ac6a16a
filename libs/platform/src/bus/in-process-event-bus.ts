import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { backoffMs } from '../flow/backoff';
import { Pause } from '../flow/signal';
import type { Log } from '../telemetry/log';
import { silentLog } from '../telemetry/log';
import { EventBus } from './event-bus';
import type { IncomingMessage, OutgoingMessage, RunningSubscription, Slice, Subscription } from './event-bus';
import { PublishError } from './publish-error';

const PARTITIONS = 16;
const MOST_IN_SLICE = 1000;

/**
 * The bus of the embedded default: publishing awaits every subscriber. Messages of one (group, topic, partition) are
 * handled one slice after the other, in the order of the publish calls.
 *
 * A handler may publish. When waiting for that would mean waiting for itself (its own partition, or one whose handler
 * waits for it), the messages are queued behind what is there and the publish resolves at once; nobody could repeat
 * them, so they are retried until they succeed.
 */
export class InProcessEventBus extends EventBus {
  private readonly members = new Set<Member>();
  private readonly present = new AsyncLocalStorage<Lane>();

  constructor(private readonly log: Log = silentLog) {
    super();
  }

  override async publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void> {
    const current = this.present.getStore();
    const incoming = messages.map((message) => ({ source: message, message: toIncoming(topic, message) }));
    const deliveries = [...this.members]
      .filter((member) => member.subscription.topics.includes(topic))
      .flatMap((member) => this.deliver(member, topic, incoming, current));
    const failures = (await Promise.all(deliveries)).filter((failure) => failure !== null);
    if (failures.length === 0) return;
    const failed = new Set(failures.flatMap((failure) => failure.left.map((addressed) => addressed.source)));
    throw new PublishError(
      topic,
      messages.filter((message) => failed.has(message)),
      failures[0]?.cause,
    );
  }

  override async partitioning(): Promise<(key: string) => number> {
    return partitionOf;
  }

  override async subscribe(subscription: Subscription): Promise<RunningSubscription> {
    if ([...this.members].some((other) => sharesTopic(other.subscription, subscription))) {
      throw new Error(
        `Group ${subscription.group} already reads one of ${subscription.topics.join(', ')} in this process`,
      );
    }
    const member: Member = { subscription, lanes: new Map() };
    this.members.add(member);
    return {
      caughtUp: () => quiet(member),
      stop: async () => {
        this.members.delete(member);
        await stopMember(member);
      },
    };
  }

  override async close(): Promise<void> {
    const members = [...this.members];
    this.members.clear();
    await Promise.all(members.map(stopMember));
  }

  private deliver(
    member: Member,
    topic: string,
    incoming: readonly Addressed[],
    current: Lane | undefined,
  ): Promise<Failure | null>[] {
    return [...byPartition(incoming)].map(([partition, addressed]) =>
      this.enqueue(laneOf(member, topic, partition), member, addressed, current),
    );
  }

  private enqueue(
    lane: Lane,
    member: Member,
    messages: readonly Addressed[],
    current: Lane | undefined,
  ): Promise<Failure | null> {
    const detached = current !== undefined && waitsOn(lane, current);
    const run = () =>
      this.present.run(lane, () =>
        detached ? this.insist(lane, member, messages) : handle(lane, member, messages),
      );
    const done = lane.tail.then(run);
    lane.tail = done;
    if (detached) return Promise.resolve(null);
    return current === undefined ? done : waiting(current, lane, done);
  }

  /** Nobody is left who would repeat these messages, so they are repeated here until they are taken or the bus stops. */
  private async insist(lane: Lane, member: Member, messages: readonly Addressed[]): Promise<null> {
    let left = messages;
    for (let failures = 1; !lane.stopped; failures += 1) {
      const failure = await handle(lane, member, left);
      if (failure === null) return null;
      left = failure.left;
      this.log.error(
        { err: failure.cause, group: member.subscription.group, topic: lane.topic },
        'a handler failed; trying again',
      );
      await lane.pause.wait(backoffMs(failures));
    }
    return null;
  }
}

interface Member {
  readonly subscription: Subscription;
  readonly lanes: Map<string, Lane>;
}

/** One (group, topic, partition). `tail` ends when everything queued so far was handled; it never rejects. */
interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly pause: Pause;
  readonly waitingOn: Map<Lane, number>;
  tail: Promise<unknown>;
  stopped: boolean;
}

interface Addressed {
  readonly source: OutgoingMessage;
  readonly message: IncomingMessage;
}

interface Failure {
  /** The slice that failed and all that follow it: to go on behind a failed message would break the order of its key. */
  readonly left: readonly Addressed[];
  readonly cause: unknown;
}

async function handle(lane: Lane, member: Member, messages: readonly Addressed[]): Promise<Failure | null> {
  const most = member.subscription.maxSlice ?? MOST_IN_SLICE;
  for (let at = 0; at < messages.length; at += most) {
    try {
      if (lane.stopped) throw new Error(`The subscription of ${member.subscription.group} was stopped`);
      await member.subscription.handle(sliceOf(lane, messages.slice(at, at + most)));
    } catch (cause) {
      return { left: messages.slice(at), cause };
    }
  }
  return null;
}

function sliceOf({ topic, partition }: Lane, messages: readonly Addressed[]): Slice {
  return { topic, partition, messages: messages.map((addressed) => addressed.message), ephemeral: true };
}

/** Whether `from` stands still until `target` is done; a lane stands still for itself. */
function waitsOn(from: Lane, target: Lane): boolean {
  return from === target || [...from.waitingOn.keys()].some((next) => waitsOn(next, target));
}

/** Marks `current` as standing still for `lane` until `done`; the marks are what keeps two lanes from waiting in a ring. */
async function waiting<T>(current: Lane, lane: Lane, done: Promise<T>): Promise<T> {
  current.waitingOn.set(lane, (current.waitingOn.get(lane) ?? 0) + 1);
  try {
    return await done;
  } finally {
    const left = (current.waitingOn.get(lane) ?? 1) - 1;
    if (left === 0) current.waitingOn.delete(lane);
    else current.waitingOn.set(lane, left);
  }
}

function laneOf(member: Member, topic: string, partition: number): Lane {
  const name = `${topic}\n${partition}`;
  const known = member.lanes.get(name);
  if (known !== undefined) return known;
  const lane: Lane = {
    topic,
    partition,
    pause: new Pause(),
    waitingOn: new Map(),
    tail: Promise.resolve(),
    stopped: false,
  };
  member.lanes.set(name, lane);
  return lane;
}

async function quiet(member: Member): Promise<void> {
  await Promise.all([...member.lanes.values()].map((lane) => lane.tail));
}

async function stopMember(member: Member): Promise<void> {
  for (const lane of member.lanes.values()) {
    lane.stopped = true;
    lane.pause.wake();
  }
  await quiet(member);
}

function sharesTopic(one: Subscription, other: Subscription): boolean {
  return one.group === other.group && one.topics.some((topic) => other.topics.includes(topic));
}

function toIncoming(topic: string, { key, value, headers }: OutgoingMessage): IncomingMessage {
  return {
    topic,
    partition: partitionOf(key),
    offset: -1n,
    key,
    value,
    size: value.length,
    headers: headers ?? {},
  };
}

function partitionOf(key: string): number {
  return createHash('md5').update(key).digest().readUInt32BE(0) % PARTITIONS;
}

function byPartition(incoming: readonly Addressed[]): Map<number, Addressed[]> {
  const groups = new Map<number, Addressed[]>();
  for (const addressed of incoming) {
    const group = groups.get(addressed.message.partition);
    if (group === undefined) groups.set(addressed.message.partition, [addressed]);
    else group.push(addressed);
  }
  return groups;
}
