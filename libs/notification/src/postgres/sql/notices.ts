/** No row: it was said before. */
export const claim = {
  name: 'notice_claim',
  text: `insert into notice (tenant_id, notice_id, customer_id, kind, subject, stage, threshold, at, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (tenant_id, customer_id, kind, subject, stage) do nothing returning notice_id`,
};

export const find = {
  name: 'notice_find',
  text: 'select * from notice where tenant_id = $1 and notice_id = $2',
};

/** Neither taken by anybody nor on its way. */
export const unreached = {
  name: 'notice_unreached',
  text: `select n.* from notice n
          where n.tenant_id = $1 and n.customer_id = $2 and n.kind = $3 and n.subject = $4
            and not exists (select from delivery d where d.tenant_id = n.tenant_id and d.notice_id = n.notice_id
                               and (d.delivered_at is not null or d.due_at is not null))
          order by n.sequence`,
};

/** Backwards, so that a limit keeps the latest. */
export const feed = {
  name: 'notice_feed',
  text: `select * from notice where tenant_id = $1 and customer_id = $2 order by at desc, sequence desc limit 1000`,
};

export const addAlert = {
  name: 'alert_add',
  text: `insert into alert (tenant_id, alert_id, kind, detail, at) values ($1, $2, $3, $4, $5)
         on conflict do nothing`,
};

export const alerts = {
  name: 'alert_list',
  text: 'select kind, detail, at from alert where tenant_id = $1 order by at desc, sequence desc limit 1000',
};
