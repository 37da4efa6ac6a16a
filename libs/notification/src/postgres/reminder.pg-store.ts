import { Injectable } from '@nestjs/common';
import type { NoticeKind } from '@tallygate/contracts';
import { Ids } from '@tallygate/kernel';
import { instantFromPg, pgInstant } from '@tallygate/platform';
import type { Reminder } from '../domain';
import { ReminderStore } from '../service/ports';
import type { Session } from '../service/session';

interface ReminderRow {
  readonly customer_id: string;
  readonly kind: NoticeKind;
  readonly subject: string;
  readonly stage: string;
  readonly threshold: string | null;
  readonly details: Record<string, string>;
  readonly due_at: string;
}

@Injectable()
export class PgReminderStore extends ReminderStore {
  constructor(private readonly ids: Ids) {
    super();
  }

  override async replace(
    { tx, tenantId }: Session,
    about: Pick<Reminder, 'customerId' | 'kind' | 'subject'>,
    reminders: readonly Reminder[],
  ): Promise<void> {
    const forget =
      'delete from reminder where tenant_id = $1 and customer_id = $2 and kind = $3 and subject = $4';
    await tx.query({ name: 'reminder_forget', text: forget }, [
      tenantId,
      about.customerId,
      about.kind,
      about.subject,
    ]);
    const keep = `insert into reminder (tenant_id, reminder_id, customer_id, kind, subject, stage, threshold, details, due_at)
                  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;
    for (const { customerId, kind, subject, stage, threshold, details, dueAt } of reminders) {
      const values = [
        tenantId,
        this.ids.next(),
        customerId,
        kind,
        subject,
        stage,
        threshold,
        details,
        pgInstant(dueAt),
      ];
      await tx.query({ name: 'reminder_keep', text: keep }, values);
    }
  }

  override async take({ tx, tenantId }: Session, id: string): Promise<Reminder | null> {
    const text = 'delete from reminder where tenant_id = $1 and reminder_id = $2 returning *';
    const { rows } = await tx.query<ReminderRow>({ name: 'reminder_take', text }, [tenantId, id]);
    const row = rows[0];
    if (!row) return null;
    const { kind, subject, stage, threshold, details } = row;
    return {
      customerId: row.customer_id,
      kind,
      subject,
      stage,
      threshold,
      details,
      dueAt: instantFromPg(row.due_at),
    };
  }
}
