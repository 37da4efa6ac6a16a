import { Pool } from 'pg';
import type { MeteredEvent } from '@tallygate/contracts';
import type { Customer } from './workload';
import { identityHex } from './workload';

/** The least that still deduplicates and stores every event, debits, journals, writes a fact and stores the offset. */
const SCHEMA = `
create schema control;
create table control.event (identity uuid primary key, account int not null, quantity numeric(38,9) not null, at bigint not null);
create table control.account (id int primary key, balance numeric(38,9) not null) with (fillfactor = 70);
create table control.journal (id bigint generated always as identity primary key, account int not null, amount numeric(38,9) not null);
create table control.outbox (id bigint generated always as identity primary key, value bytea not null);
create table control.position (partition int primary key, next bigint not null);
`;

const SLICE = `
with fresh as (
  insert into control.event (identity, account, quantity, at)
  select * from unnest($1::uuid[], $2::int[], $3::numeric[], $4::bigint[])
  on conflict do nothing returning account, quantity
), used as (
  select account, sum(quantity) * 0.002 as amount from fresh group by account
), locked as (
  select a.id from control.account a join used u on u.account = a.id order by a.id for update of a
), debited as (
  update control.account a set balance = a.balance - u.amount from used u join locked l on l.id = u.account
   where a.id = u.account
), journaled as (
  insert into control.journal (account, amount) select account, -amount from used
), told as (
  insert into control.outbox (value) values ($5)
)
update control.position set next = next + 1 where partition = $6`;

export class Controls {
  private readonly pool: Pool;
  private readonly accounts = new Map<string, number>();

  constructor(url: string) {
    this.pool = new Pool({ connectionString: url, max: 4 });
    // Dropping the database ends idle connections; without a listener that would end the run.
    this.pool.on('error', () => undefined);
  }

  async prepare(customers: readonly Customer[], writers: number): Promise<void> {
    await this.pool.query(SCHEMA);
    customers.forEach((customer, i) => this.accounts.set(customer.customerId, i));
    await this.pool.query(
      'insert into control.account select i, 1000000000 from generate_series(0, $1::int - 1) i',
      [customers.length],
    );
    await this.pool.query('insert into control.position select i, 0 from generate_series(0, $1::int - 1) i', [
      writers,
    ]);
  }

  /** One slice, one transaction of one statement. */
  async slice(writer: number, message: Buffer): Promise<number> {
    const events = JSON.parse(message.toString()) as MeteredEvent[];
    const join = (values: readonly unknown[]): string => `{${values.join(',')}}`;
    await this.pool.query({
      name: 'control_slice',
      text: SLICE,
      values: [
        join(events.map((event) => identityHex(event.source, event.id))),
        join(events.map((event) => this.accounts.get(event.customerId))),
        join(events.map((event) => event.readings[0]?.quantity)),
        join(events.map((event) => event.occurredAt)),
        Buffer.from('{"type":"balance.changed"}'),
        writer,
      ],
    });
    return events.length;
  }

  /** What one would write first: a transaction per event, a statement per step. */
  async rowAtATime(writer: number, message: Buffer): Promise<number> {
    const events = JSON.parse(message.toString()) as MeteredEvent[];
    const client = await this.pool.connect();
    try {
      for (const event of events) await this.one(client, writer, event);
    } finally {
      client.release();
    }
    return events.length;
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async one(client: { query: Pool['query'] }, writer: number, event: MeteredEvent): Promise<void> {
    const account = this.accounts.get(event.customerId);
    const quantity = event.readings[0]?.quantity;
    await client.query('begin');
    const fresh = await client.query({
      name: 'row_event',
      text: 'insert into control.event values ($1, $2, $3, $4) on conflict do nothing',
      values: [identityHex(event.source, event.id), account, quantity, event.occurredAt],
    });
    if (fresh.rowCount === 1) {
      await client.query({
        name: 'row_lock',
        text: 'select balance from control.account where id = $1 for update',
        values: [account],
      });
      await client.query({
        name: 'row_debit',
        text: 'update control.account set balance = balance - $2::numeric * 0.002 where id = $1',
        values: [account, quantity],
      });
      await client.query({
        name: 'row_journal',
        text: 'insert into control.journal (account, amount) values ($1, -$2::numeric * 0.002)',
        values: [account, quantity],
      });
      await client.query({
        name: 'row_outbox',
        text: 'insert into control.outbox (value) values ($1)',
        values: [Buffer.from('{}')],
      });
    }
    await client.query({
      name: 'row_position',
      text: 'update control.position set next = next + 1 where partition = $1',
      values: [writer],
    });
    await client.query('commit');
  }
}
