import { Injectable } from '@nestjs/common';
import type { NoticeKind } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Planned, Reminder, Stage } from '../domain';
import { ReminderStore } from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/reminders';

interface StageRow {
  readonly customer_id: string;
  readonly kind: NoticeKind;
  readonly source: string;
  readonly stage: string;
}

interface ReminderRow extends StageRow {
  readonly subject: string;
  readonly threshold: string | null;
  readonly details: Record<string, string>;
  readonly due_at: string;
  readonly ends_at: string;
}

@Injectable()
export class PgReminderStore extends ReminderStore {
  constructor(private readonly ids: Ids) {
    super();
  }

  override async planned(session: Session, things: readonly Planned[]): Promise<readonly Stage[]> {
    const { rows } = await session.tx.query<StageRow>(sql.planned, keysOf(session, things));
    return rows.map(({ customer_id: customerId, kind, source, stage }) => ({
      customerId,
      kind,
      source,
      stage,
    }));
  }

  override async forget(session: Session, stages: readonly Stage[]): Promise<void> {
    const values = [...keysOf(session, stages), stages.map(({ stage }) => stage)];
    await session.tx.query(sql.forget, values);
  }

  override async keep({ tx, tenantId }: Session, reminders: readonly Reminder[]): Promise<void> {
    const rows = reminders.map(({ customerId, dueAt, endsAt, ...row }) => ({
      ...row,
      customer_id: customerId,
      reminder_id: this.ids.next(),
      due_at: pgInstant(dueAt),
      ends_at: pgInstant(endsAt),
    }));
    await tx.query(sql.keep, [tenantId, JSON.stringify(rows)]);
  }

  override async takeDue({ tx, tenantId, now }: Session, id: string): Promise<readonly Reminder[]> {
    const { rows } = await tx.query<ReminderRow>(sql.takeDue, [tenantId, id, pgInstant(now)]);
    return rows.map(reminderOf);
  }
}

function keysOf({ tenantId }: Session, things: readonly Planned[]): unknown[] {
  return [
    tenantId,
    things.map(({ customerId }) => customerId),
    things.map(({ kind }) => kind),
    things.map(({ source }) => source),
  ];
}

function reminderOf({ customer_id: customerId, due_at, ends_at, ...row }: ReminderRow): Reminder {
  const { kind, source, subject, stage, threshold, details } = row;
  const dueAt = instantFromPg(due_at);
  return {
    customerId,
    kind,
    source,
    subject,
    stage,
    threshold,
    details,
    dueAt,
    endsAt: instantFromPg(ends_at),
  };
}
