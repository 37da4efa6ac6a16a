import { Injectable } from '@nestjs/common';
import { Clock, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { positionOf, tokenOf } from '../domain';
import type { Position } from '../domain';
import { Signal } from '@tallygate/platform';
import { FeedHub } from './feed-hub';
import type { FeedSession } from './feed-session';

/** A gate as the service sees it. */
export interface GateStatus {
  readonly gate: string;
  readonly tenantId: string | null;
  readonly connected: boolean;
  /** The position it acknowledged last; null before the first. */
  readonly revision: string | null;
  /** Changes committed since that position. */
  readonly lag: number;
  /** Whether it held at that position what the service held; null where that was not compared yet. */
  readonly digestEqual: boolean | null;
  readonly seenAt: Instant;
}

interface Gate {
  readonly id: string;
  readonly tenantId: string | null;
  readonly session: FeedSession | null;
  connected: boolean;
  acked: Position | null;
  digestEqual: boolean | null;
  seenAt: Instant;
}

/** A gate that is gone stays listed for a day, so that an operator sees what is missing. */
const LISTED_FOR_MICROS = MICROS.day;
/** A gate that polls is waited for as long as it polled within this time. */
const POLLING_MICROS = 5 * MICROS.second;

/** Which gates follow the feed and how far each has come. */
@Injectable()
export class GateRegistry {
  private readonly gates = new Map<string, Gate>();
  private readonly acked = new Signal();

  constructor(
    private readonly hub: FeedHub,
    private readonly clock: Clock,
  ) {}

  /** A stream that opened; the same gate's earlier one is closed, since only one can be the present. */
  connect(session: FeedSession): void {
    const key = keyOf(session.tenantId, session.gateId);
    const before = this.gates.get(key);
    this.gates.set(key, {
      id: session.gateId,
      tenantId: session.tenantId,
      session,
      connected: true,
      acked: null,
      digestEqual: null,
      seenAt: this.clock.now(),
    });
    before?.session?.close();
  }

  disconnect(session: FeedSession): void {
    const gate = this.gates.get(keyOf(session.tenantId, session.gateId));
    if (gate?.session !== session) return;
    gate.connected = false;
    this.acked.raise();
  }

  ack(session: FeedSession, token: string, digest: string): void {
    const gate = this.gates.get(keyOf(session.tenantId, session.gateId));
    if (gate?.session === session) this.note(gate, token, session.agrees(token, digest));
  }

  /** An acknowledgement over HTTP, of a gate that polls or listens to server-sent events. */
  ackPolled(tenantId: string | null, gateId: string, token: string, digest: string): boolean {
    const position = positionOf(token);
    if (position === null || position.epoch !== this.hub.position.epoch) return false;
    const key = keyOf(tenantId, gateId);
    const gate = this.gates.get(key) ?? {
      id: gateId,
      tenantId,
      session: null,
      connected: true,
      acked: null,
      digestEqual: null,
      seenAt: this.clock.now(),
    };
    this.gates.set(key, gate);
    const agrees =
      gate.session?.agrees(token, digest) ??
      (position.seq >= this.hub.headOf(tenantId) ? digest === this.hub.state.digest(tenantId) : null);
    this.note(gate, token, agrees);
    return true;
  }

  /** Gates that see a tenant: its own and those of the installation. */
  list(tenantId: string | null): readonly GateStatus[] {
    this.forgetGone();
    return [...this.gates.values()]
      .filter((gate) => tenantId === null || sees(gate, tenantId))
      .map((gate) => ({
        gate: gate.id,
        tenantId: gate.tenantId,
        connected: this.isPresent(gate),
        revision: gate.acked === null ? null : tokenOf(gate.acked),
        lag: this.owed(gate, gate.tenantId),
        digestEqual: gate.digestEqual,
        seenAt: gate.seenAt,
      }));
  }

  /**
   * Resolves when every connected gate that sees the tenant has acknowledged everything committed for it before the
   * call. A gate that disconnects is not waited for: its feed is stale by its own clock.
   */
  async propagated(tenantId: string): Promise<void> {
    const target = this.hub.headOf(tenantId);
    const owes = (gate: Gate): boolean =>
      sees(gate, tenantId) && this.isPresent(gate) && (gate.acked?.seq ?? 0) < target;
    for (;;) {
      const next = this.acked.next();
      if (![...this.gates.values()].some(owes)) return;
      await next;
    }
  }

  /** Wakes whoever waits, so that a gate that stopped polling is let go. */
  tick(): void {
    this.acked.raise();
  }

  private note(gate: Gate, token: string, agrees: boolean | null): void {
    gate.acked = positionOf(token);
    gate.seenAt = this.clock.now();
    if (agrees !== null) gate.digestEqual = agrees;
    this.acked.raise();
  }

  private owed(gate: Gate, tenantId: string | null): number {
    return Math.max(0, this.hub.headOf(tenantId) - (gate.acked?.seq ?? 0));
  }

  private isPresent(gate: Gate): boolean {
    return gate.session !== null ? gate.connected : this.clock.now() - gate.seenAt <= POLLING_MICROS;
  }

  private forgetGone(): void {
    for (const [key, gate] of this.gates) {
      if (!this.isPresent(gate) && this.clock.now() - gate.seenAt > LISTED_FOR_MICROS) this.gates.delete(key);
    }
  }
}

function keyOf(tenantId: string | null, gateId: string): string {
  return `${tenantId ?? '*'} ${gateId}`;
}

function sees(gate: Gate, tenantId: string): boolean {
  return gate.tenantId === null || gate.tenantId === tenantId;
}
