import { Injectable } from '@nestjs/common';
import type { CorrectedUsage } from '@tallygate/contracts';
import { Database, instantFromPg, pgInstant } from '@tallygate/platform';
import type { Tx } from '@tallygate/platform';
import { ParkedStore } from '../service/ports';
import type { Disposition, ParkedCode, ParkedEvent } from '../service/ports';
import * as sql from './sql/parked-events';

interface ParkedRow {
  readonly tenant_id: string;
  readonly source: string;
  readonly event_id: string;
  readonly payload_hash: string;
  readonly code: ParkedCode;
  readonly type: string;
  readonly subject: string;
  readonly occurred_at: string;
  readonly received_at: string;
  readonly revision: bigint;
  readonly event: string;
  readonly corrects_source: string | null;
  readonly corrects_id: string | null;
  readonly corrects_kind: CorrectedUsage['kind'] | null;
}

@Injectable()
export class PgParkedStore extends ParkedStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async park(events: readonly ParkedEvent[]): Promise<readonly ParkedEvent[]> {
    const keys = keysOf(events);
    const hashes = events.map((event) => event.payloadHash);
    return this.database.asWorker(async (tx) => {
      await lockShared(tx, events);
      await tx.query(sql.parkEvents, [
        ...keys,
        hashes,
        events.map((event) => event.code),
        events.map((event) => event.type),
        events.map((event) => event.subject),
        events.map((event) => pgInstant(event.occurredAt)),
        events.map((event) => pgInstant(event.receivedAt)),
        events.map((event) => event.revision),
        events.map((event) => event.event),
        events.map((event) => event.corrects?.source ?? null),
        events.map((event) => event.corrects?.id ?? null),
        events.map((event) => event.corrects?.kind ?? null),
      ]);
      const { rows } = await tx.query<ParkedRow>(sql.parkedConflicts, [...keys, hashes]);
      const conflicts = new Set(
        rows.map((row) => nameOf(row.tenant_id, row.source, row.event_id, row.payload_hash)),
      );
      return events.filter((event) =>
        conflicts.has(nameOf(event.tenantId, event.source, event.id, event.payloadHash)),
      );
    });
  }

  override async revisit(
    scope: string | null,
    limit: number,
    look: (events: readonly ParkedEvent[]) => Promise<readonly Disposition[]>,
  ): Promise<number> {
    const { taken, waiting } = await this.database.asWorker(async (tx) => {
      const { rows } = await tx.query<ParkedRow>(sql.takeReady, [scope, limit]);
      const events = rows.map(eventOf);
      const dispositions = events.length === 0 ? [] : await look(events);
      const gone = events.filter((_, place) => dispositions[place]?.kind === 'gone');
      if (gone.length > 0) await tx.query(sql.deleteParked, keysOf(gone));
      return { taken: events.length, waiting: waitingOf(events, dispositions) };
    });
    if (waiting.length > 0) await this.keep(waiting);
    return taken;
  }

  override async revisitAwaiting(
    scope: string | null,
    limit: number,
    look: (events: readonly ParkedEvent[]) => Promise<readonly Disposition[]>,
  ): Promise<number> {
    return this.database.asWorker(async (tx) => {
      const { rows } = await tx.query<ParkedRow>(sql.takeAwaiting, [scope, limit]);
      if (rows.length === 0) return 0;
      const events = rows.map(eventOf);
      const dispositions = await look(events);
      const gone = events.filter((_, place) => dispositions[place]?.kind === 'gone');
      const still = events.filter((_, place) => dispositions[place]?.kind !== 'gone');
      if (gone.length > 0) await tx.query(sql.deleteParked, keysOf(gone));
      if (still.length > 0) await tx.query(sql.countTries, keysOf(still));
      return gone.length;
    });
  }

  override async list(tenantId: string, limit: number): Promise<readonly ParkedEvent[]> {
    const { rows } = await this.database.asTenant(tenantId, (tx) =>
      tx.query<ParkedRow>(sql.listParked, [tenantId, limit]),
    );
    return rows.map(eventOf);
  }

  /**
   * In a transaction of its own, because it takes the parking lock before the rows, as those do who wake them; the
   * transaction that looked has the rows already, and the two would wait for each other.
   */
  private async keep(waiting: readonly ParkedEvent[]): Promise<void> {
    await this.database.asWorker(async (tx) => {
      await lockShared(tx, waiting);
      await tx.query(sql.keepParked, [
        ...keysOf(waiting),
        waiting.map((one) => one.code),
        waiting.map((one) => one.revision),
      ]);
    });
  }
}

function waitingOf(events: readonly ParkedEvent[], dispositions: readonly Disposition[]): ParkedEvent[] {
  return events.flatMap((event, place) => {
    const disposition = dispositions[place];
    return disposition?.kind === 'waits'
      ? [{ ...event, code: disposition.code, revision: disposition.revision }]
      : [];
  });
}

async function lockShared(tx: Tx, events: readonly ParkedEvent[]): Promise<void> {
  await tx.query(sql.lockParkingShared, [[...new Set(events.map((event) => event.tenantId))].sort()]);
}

function keysOf(events: readonly ParkedEvent[]): [string[], string[], string[]] {
  return [
    events.map((event) => event.tenantId),
    events.map((event) => event.source),
    events.map((event) => event.id),
  ];
}

function nameOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

function eventOf(row: ParkedRow): ParkedEvent {
  return {
    tenantId: row.tenant_id,
    source: row.source,
    id: row.event_id,
    payloadHash: row.payload_hash,
    code: row.code,
    type: row.type,
    subject: row.subject,
    occurredAt: instantFromPg(row.occurred_at),
    receivedAt: instantFromPg(row.received_at),
    revision: Number(row.revision),
    event: row.event,
    corrects: correctsOf(row),
  };
}

function correctsOf({ corrects_source: source, corrects_id: id, corrects_kind: kind }: ParkedRow) {
  return source === null || id === null || kind === null ? null : { source, id, kind };
}
