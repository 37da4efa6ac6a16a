/** Thing by thing (OFFSET keeps the subquery apart): a join would read all reminders of the tenant for a few things. */
export const planned = {
  name: 'reminder_planned',
  text: `select distinct thing.customer_id, thing.kind, thing.source, r.stage
           from unnest($2::uuid[], $3::text[], $4::text[]) as thing (customer_id, kind, source)
          cross join lateral (
            select stage from reminder
             where tenant_id = $1 and customer_id = thing.customer_id and kind = thing.kind and source = thing.source
            offset 0
          ) r`,
};

export const forget = {
  name: 'reminder_forget',
  text: `delete from reminder r
          using unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as gone (customer_id, kind, source, stage)
          where r.tenant_id = $1 and r.customer_id = gone.customer_id and r.kind = gone.kind
            and r.source = gone.source and r.stage = gone.stage`,
};

/** Reminders as one JSON array: their details differ. */
export const keep = {
  name: 'reminder_keep',
  text: `insert into reminder (tenant_id, customer_id, kind, source, stage, reminder_id, subject, threshold, details, due_at, ends_at)
         select $1, customer_id, kind, source, stage, reminder_id, subject, threshold, details, due_at, ends_at
           from jsonb_to_recordset($2::jsonb)
             as r (customer_id uuid, kind text, source text, stage text, reminder_id uuid, subject text, threshold text,
                   details jsonb, due_at timestamptz, ends_at timestamptz)
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
