const WAITS = 'due_at is not null and not withdrawn';

export const add = {
  name: 'delivery_add',
  text: `insert into delivery (tenant_id, delivery_id, notice_id, customer_id, channel, address, due_at)
         values ($1, $2, $3, $4, $5, $6, $7)`,
};

/** No row: delivered, given up, withdrawn, or not due yet, for a job that was queued before the last try moved it on. */
export const waiting = {
  name: 'delivery_waiting',
  text: `select notice_id, customer_id, channel, address, tries from delivery
         where tenant_id = $1 and delivery_id = $2 and ${WAITS} and due_at <= $3::timestamptz`,
};

export const delivered = {
  name: 'delivery_delivered',
  text: `update delivery set due_at = null, delivered_at = $3, problem = null
         where tenant_id = $1 and delivery_id = $2`,
};

export const failed = {
  name: 'delivery_failed',
  text: `update delivery set due_at = $5, tries = $3, problem = $4 where tenant_id = $1 and delivery_id = $2`,
};

export const redirect = {
  name: 'delivery_redirect',
  text: `update delivery set address = $3, tries = 0, due_at = $4
         where tenant_id = $1 and customer_id = $2 and channel = 'email' and due_at is not null and address <> $3`,
};

export const onlyAbout = {
  name: 'delivery_only_about',
  text: `update delivery d set withdrawn = n.subject is distinct from $4
           from notice n
          where d.tenant_id = $1 and d.customer_id = $2 and d.due_at is not null
            and n.tenant_id = d.tenant_id and n.notice_id = d.notice_id and n.kind = $3`,
};
