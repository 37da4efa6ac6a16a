const ABOUT = 'tenant_id = $1 and customer_id = $2 and kind = $3 and source = $4';

export const planned = { name: 'reminder_planned', text: `select stage from reminder where ${ABOUT}` };

/** All but the stages in $5. */
export const forget = {
  name: 'reminder_forget',
  text: `delete from reminder where ${ABOUT} and stage <> all ($5::text[])`,
};

export const keep = {
  name: 'reminder_keep',
  text: `insert into reminder (tenant_id, customer_id, kind, source, stage, reminder_id, subject, threshold, details, due_at, ends_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (tenant_id, customer_id, kind, source, stage)
         do update set subject = excluded.subject, details = excluded.details, due_at = excluded.due_at`,
};

/** With it, what else came due about the same thing; no row when it was forgotten or said meanwhile. */
export const takeDue = {
  name: 'reminder_take_due',
  text: `delete from reminder r using reminder one
          where one.tenant_id = $1 and one.reminder_id = $2
            and r.tenant_id = one.tenant_id and r.customer_id = one.customer_id and r.kind = one.kind
            and r.source = one.source and r.due_at <= $3
         returning r.*`,
};
