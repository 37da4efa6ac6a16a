import type { Client } from 'pg';

/** A law over the databases: each row that its query returns breaks it. $1 is the tenant. */
export interface Law {
  readonly says: string;
  readonly sql: string;
}

/** What the clients know, loaded beside the databases it is held against. */
export const CLIENT_TABLES = `
create temporary table client_usage (id text primary key, customer text, tokens bigint, acknowledged boolean);
create temporary table client_top_up (key text primary key, customer text, amount numeric, status integer);
create temporary table capture (invoice text, amount numeric);
create temporary table client_conflict (id text primary key, outcome text);
create temporary table published_balance (customer_id uuid, unit text, revision bigint)`;

/**
 * Watches the offsets and epochs that consumers store, from outside: a change back would be gone again at the next
 * look. The owner's function writes where the services' roles may not.
 */
export const OFFSET_WATCH = `
create schema if not exists judge;
create table if not exists judge.offset_move (
  id bigint generated always as identity primary key, consumer_group text, topic text, partition integer,
  epoch_before bigint, epoch bigint, next_before bigint, next bigint, owner text);
create or replace function judge.note_move() returns trigger language plpgsql security definer as $$
begin
  insert into judge.offset_move (consumer_group, topic, partition, epoch_before, epoch, next_before, next, owner)
  values (new.consumer_group, new.topic, new.partition, old.epoch, new.epoch, old.next_offset, new.next_offset, new.owner);
  return null;
end $$;
create or replace trigger judge_watch after update on ledger.consumer_offset
  for each row execute function judge.note_move()`;

/** For a session of its own: laws over a whole installation, not a tenant. */
export const WATCH_LAWS: readonly Law[] = [
  {
    says: 'stored offsets and epochs only grow, and a new owner is a new epoch',
    sql: `
select topic, partition, epoch_before::text, epoch::text, next_before::text, next::text
  from judge.offset_move where epoch < epoch_before or next < next_before order by id`,
  },
];

/** Sums of its own: nothing here asks the services, and prices come from the clients' side. */
export const LAWS: readonly Law[] = [
  {
    says: 'an acknowledged event is debited exactly once',
    sql: `
select c.id, count(u.event_id)::int as debits
  from client_usage c
  left join ledger.usage_event u
    on u.tenant_id = $1 and u.source = 'chaos' and u.event_id = c.id and u.amount is not null
 where c.acknowledged group by c.id having count(u.event_id) <> 1`,
  },
  {
    says: 'no event is debited twice, and none that nobody sent',
    sql: `
select u.event_id, count(*)::int as debits, bool_or(c.id is not null) as was_sent
  from ledger.usage_event u left join client_usage c on c.id = u.event_id
 where u.tenant_id = $1 and u.source = 'chaos'
 group by u.event_id having count(*) > 1 or bool_or(c.id is null)`,
  },
  {
    says: 'a debit is the price of what was sent, from the wallet of its customer',
    sql: `
select u.event_id, u.amount::text, (c.tokens * 0.002)::text as price, f.key as debited, c.customer
  from ledger.usage_event u
  join client_usage c on c.id = u.event_id
  left join ledger.wallet w on w.id = u.wallet_id
  left join billing.customer f on f.tenant_id = u.tenant_id and f.id = w.customer_id
 where u.tenant_id = $1 and u.source = 'chaos'
   and (u.amount is distinct from c.tokens * 0.002 or f.key is distinct from c.customer)`,
  },
  {
    says: 'per wallet the events sum to what the journal took',
    sql: `
select w.id::text, coalesce(e.amount, 0)::text as events, coalesce(j.amount, 0)::text as journal
  from ledger.wallet w
  left join (select wallet_id, sum(amount) as amount from ledger.usage_event where tenant_id = $1 group by 1) e
    on e.wallet_id = w.id
  left join (select wallet_id, sum(contra) as amount from ledger.journal
              where tenant_id = $1 and kind in ('usage', 'debt') group by 1) j on j.wallet_id = w.id
 where w.tenant_id = $1 and coalesce(e.amount, 0) <> coalesce(j.amount, 0)`,
  },
  {
    says: 'the journal sums to zero',
    sql: `
select sum(free + held - debt + contra)::text as sum from ledger.journal where tenant_id = $1
having sum(free + held - debt + contra) <> 0`,
  },
  {
    says: 'a balance is the fold of its journal, whose versions have no gap',
    sql: `
select w.id::text, w.free::text, w.held::text, w.debt::text, j.*
  from ledger.wallet w
  left join (select wallet_id, sum(free) as f, sum(held) as h, sum(debt) as d, count(*) as n, max(version) as v
               from ledger.journal where tenant_id = $1 group by 1) j on j.wallet_id = w.id
 where w.tenant_id = $1
   and (coalesce(j.f, 0), coalesce(j.h, 0), coalesce(j.d, 0), coalesce(j.n, 0), coalesce(j.v, 0))
       is distinct from (w.free, w.held, w.debt, w.version, w.version)`,
  },
  {
    says: 'what a customer has is what came in less what the clients used',
    sql: `
select f.key, (w.free + w.held - w.debt)::text as has, l.amount::text as came_in, (u.tokens * 0.002)::text as used
  from ledger.wallet w
  join billing.customer f on f.tenant_id = w.tenant_id and f.id = w.customer_id
  left join (select wallet_id, sum(amount) as amount from ledger.lot where tenant_id = $1 group by 1) l
    on l.wallet_id = w.id
  left join (select c.customer, sum(c.tokens) as tokens from client_usage c
              where exists (select from ledger.usage_event u
                             where u.tenant_id = $1 and u.source = 'chaos' and u.event_id = c.id)
              group by 1) u on u.customer = f.key
 where w.tenant_id = $1
   and w.free + w.held - w.debt <> coalesce(l.amount, 0) - coalesce(u.tokens, 0) * 0.002`,
  },
  {
    says: 'a purchase that was answered "paid" gave its credit once',
    sql: `
select c.key, c.status, count(l.id)::int as lots, sum(l.amount)::text as given, c.amount::text
  from client_top_up c
  join billing.top_up t on t.tenant_id = $1 and t.key = c.key
  left join ledger.credit_grant g on g.tenant_id = $1 and g.source = 'top_up:' || t.id
  left join ledger.lot l on l.grant_id = g.id
 where t.status = 'paid' or c.status = 201 or l.id is not null
 group by c.key, c.status, c.amount
having count(l.id) <> 1 or sum(l.amount) <> c.amount or bool_or(t.status <> 'paid')`,
  },
  {
    says: 'the provider captured a purchase once when it is paid, and never twice',
    sql: `
select t.key, t.status, count(p.invoice)::int as captures, sum(p.amount)::text as captured
  from billing.top_up t left join capture p on p.invoice = t.invoice_id::text
 where t.tenant_id = $1
 group by t.key, t.status, t.amount
having count(p.invoice) > 1
    or (t.status = 'paid' and (count(p.invoice) <> 1 or sum(p.amount) <> t.amount))
    or (t.status = 'failed' and count(p.invoice) > 0)`,
  },
  {
    says: 'no floor is broken, no debt stays beside free credit',
    sql: `
select w.id::text, l.id::text as lot, l.remaining::text, l.held::text, l.amount::text, w.debt::text
  from ledger.wallet w left join ledger.lot l on l.wallet_id = w.id
 where w.tenant_id = $1
   and (l.remaining < 0 or l.held < 0 or l.remaining + l.held > l.amount or w.debt < 0
        or (w.debt > 0 and l.state = 'live' and l.remaining > 0))`,
  },
  {
    says: 'another payload under a known identity is refused or ends as a dead letter, once',
    sql: `
select c.id, c.outcome, count(d.id)::int as letters
  from client_conflict c
  left join ingestion.dead_letter d
    on d.tenant_id = $1 and d.source = 'chaos' and d.event_id = c.id and d.code = 'identity_conflict'
 group by c.id, c.outcome having c.outcome = 'taken' and count(d.id) = 0`,
  },
  {
    says: 'what changed a balance reached the topic',
    sql: `
select w.id::text, w.revision::text, p.revision::text as published
  from ledger.wallet w
  left join published_balance p on p.customer_id = w.customer_id and p.unit = w.unit
 where w.tenant_id = $1 and exists (select from published_balance)
   and w.revision > 0 and w.revision is distinct from p.revision`,
  },
  {
    says: 'nothing was parked and no letter is dead',
    sql: `
select 'parked' as what, count(*)::int from ingestion.parked_event where tenant_id = $1 having count(*) > 0
union all
select 'dead letter', count(*)::int from ingestion.dead_letter d
 where d.tenant_id = $1
   and not (d.code = 'identity_conflict' and exists (select from client_conflict c where c.id = d.event_id))
having count(*) > 0
union all
select 'unpriced', count(*)::int from ledger.parked_usage where tenant_id = $1 having count(*) > 0`,
  },
];

const MOST_EXAMPLES = 3;

/** @returns one line per law that does not hold, with examples; expects `CLIENT_TABLES`, filled, in this session */
export async function brokenLaws(client: Client, tenantId: string): Promise<readonly string[]> {
  return broken(client, LAWS, tenantId);
}

/** @returns one line per law that what was watched breaks; expects `OFFSET_WATCH` to have run before the load */
export async function brokenWatchLaws(client: Client): Promise<readonly string[]> {
  return broken(client, WATCH_LAWS, '');
}

async function broken(client: Client, laws: readonly Law[], tenantId: string): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const { says, sql } of laws) {
    const { rows } = await client.query(sql, sql.includes('$1') ? [tenantId] : []);
    if (rows.length > 0) broken.push(lineOf(says, rows));
  }
  return broken;
}

function lineOf(says: string, rows: readonly unknown[]): string {
  const examples = rows.slice(0, MOST_EXAMPLES).map((row) => JSON.stringify(row));
  return `not so: ${says}. ${rows.length} ${rows.length === 1 ? 'case' : 'cases'}, such as ${examples.join(' ')}`;
}
