import { Injectable } from '@nestjs/common';
import type { NoticeKind } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Reminder } from '../domain';
import { type Planned, ReminderStore } from '../service/ports';
import type { Session } from '../service/session';
import * as sql from './sql/reminders';

interface ReminderRow {
  readonly customer_id: string;
  readonly kind: NoticeKind;
  readonly source: string;
  readonly subject: string;
  readonly stage: string;
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

  override async planned(session: Session, about: Planned): Promise<ReadonlySet<string>> {
    const { rows } = await session.tx.query<{ stage: string }>(sql.planned, keyOf(session, about));
    return new Set(rows.map((row) => row.stage));
  }

  override async replace(session: Session, about: Planned, reminders: readonly Reminder[]): Promise<void> {
    const key = keyOf(session, about);
    await session.tx.query(sql.forget, [...key, reminders.map(({ stage }) => stage)]);
    for (const { stage, subject, threshold, details, dueAt, endsAt } of reminders) {
      const values = [
        stage,
        this.ids.next(),
        subject,
        threshold,
        details,
        pgInstant(dueAt),
        pgInstant(endsAt),
      ];
      await session.tx.query(sql.keep, [...key, ...values]);
    }
  }

  override async takeDue({ tx, tenantId, now }: Session, id: string): Promise<readonly Reminder[]> {
    const { rows } = await tx.query<ReminderRow>(sql.takeDue, [tenantId, id, pgInstant(now)]);
    return rows.map(reminderOf);
  }
}

function keyOf({ tenantId }: Session, { customerId, kind, source }: Planned): unknown[] {
  return [tenantId, customerId, kind, source];
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
