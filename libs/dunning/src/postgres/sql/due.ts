/** A row's present: its tenant's virtual clock, else the system's ($2). */
const PRESENT = (alias: string) =>
  `coalesce((select c.now from tenant_clock c where c.tenant_id = ${alias}.tenant_id), $2::timestamptz)`;

/** Payers with an invoice to try; $1 null for all tenants. `due` names the piece of work, so that it is queued once. */
export const duePayers = {
  name: 'dunning_due_payers',
  text: `select t.tenant_id, t.payer_id as id, max(t.try_at)::text as due from invoice t
          where t.try_at is not null and ($1::uuid is null or t.tenant_id = $1) and t.try_at <= ${PRESENT('t')}
          group by t.tenant_id, t.payer_id order by min(t.try_at) limit 1000`,
};

export const dueAttempts = {
  name: 'dunning_due_attempts',
  text: `select t.tenant_id, t.attempt_id as id, t.check_at::text as due from attempt t
          where t.check_at is not null and ($1::uuid is null or t.tenant_id = $1) and t.check_at <= ${PRESENT('t')}
          order by t.check_at limit 1000`,
};

export const dueRefunds = {
  name: 'dunning_due_refunds',
  text: `select t.tenant_id, t.refund_key as id, t.due_at::text as due from refund t
          where t.due_at is not null and ($1::uuid is null or t.tenant_id = $1) and t.due_at <= ${PRESENT('t')}
          order by t.due_at limit 1000`,
};

export const dueStandings = {
  name: 'dunning_due_standings',
  text: `select t.tenant_id, t.payer_id as id, t.due_at::text as due from payer t
          where t.due_at is not null and ($1::uuid is null or t.tenant_id = $1) and t.due_at <= ${PRESENT('t')}
          order by t.due_at limit 1000`,
};

/** One minimum per kind of work: each reads the first entry of its own partial index. */
export const nextDue = {
  payers: {
    name: 'dunning_next_payer',
    text: 'select min(try_at) as at from invoice where tenant_id = $1 and try_at > $2::timestamptz',
  },
  attempts: {
    name: 'dunning_next_attempt',
    text: 'select min(check_at) as at from attempt where tenant_id = $1 and check_at > $2::timestamptz',
  },
  refunds: {
    name: 'dunning_next_refund',
    text: 'select min(due_at) as at from refund where tenant_id = $1 and due_at > $2::timestamptz',
  },
  standings: {
    name: 'dunning_next_standing',
    text: 'select min(due_at) as at from payer where tenant_id = $1 and due_at > $2::timestamptz',
  },
};
