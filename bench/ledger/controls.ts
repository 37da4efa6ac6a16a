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
create table control.transfer (id bigint generated always as identity primary key, key uuid not null unique, at bigint not null);
create table control.entry (id bigint generated always as identity primary key, transfer bigint not null, account int not null,
                            amount numeric(38,9) not null, balance numeric(38,9) not null);
`;

/** What every transfer is booked against. */
const REVENUE = -1;

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

type Connection = { query: Pool['query'] };

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
    await this.pool.query('insert into control.account values ($1, 0)', [REVENUE]);
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

  /** Events of every account in turn, stored as slices store them. */
  async store(count: number): Promise<void> {
    await this.pool.query(
      `insert into control.event
       select gen_random_uuid(), n % $2::int, 100 + n % 900, n from generate_series(0, $1::int - 1) as n`,
      [count, this.accounts.size],
    );
  }

  /** What one would write first: a transaction per event, a statement per step. */
  rowAtATime(writer: number, message: Buffer): Promise<number> {
    return this.each(message, (client, event) => this.row(client, writer, event));
  }

  /** A ledger of transfers between accounts: each with its key, two entries and both balances, in a transaction of its own. */
  transferAtATime(writer: number, message: Buffer): Promise<number> {
    return this.each(message, (client, event) => this.transfer(client, writer, event));
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  /** One after the other, a transaction each. */
  private async each(
    message: Buffer,
    take: (client: Connection, event: MeteredEvent) => Promise<void>,
  ): Promise<number> {
    const events = JSON.parse(message.toString()) as MeteredEvent[];
    const client = await this.pool.connect();
    try {
      for (const event of events) {
        await client.query('begin');
        await take(client, event);
        await client.query('commit');
      }
    } finally {
      client.release();
    }
    return events.length;
  }

  private async row(client: Connection, writer: number, event: MeteredEvent): Promise<void> {
    const account = this.accounts.get(event.customerId);
    const quantity = event.readings[0]?.quantity;
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
      await tell(client);
    }
    await advance(client, writer);
  }

  private async transfer(client: Connection, writer: number, event: MeteredEvent): Promise<void> {
    const account = this.accounts.get(event.customerId);
    const { rows } = await client.query<{ id: string }>({
      name: 'transfer_key',
      text: 'insert into control.transfer (key, at) values ($1, $2) on conflict do nothing returning id',
      values: [identityHex(event.source, event.id), event.occurredAt],
    });
    const transfer = rows[0]?.id;
    if (transfer !== undefined) {
      await client.query({
        name: 'transfer_lock',
        text: 'select balance from control.account where id in ($1, $2) order by id for update',
        values: [REVENUE, account],
      });
      const amount = Number(event.readings[0]?.quantity) * 0.002;
      await this.post(client, transfer, account, -amount);
      await this.post(client, transfer, REVENUE, amount);
      await tell(client);
    }
    await advance(client, writer);
  }

  private async post(
    client: Connection,
    transfer: string,
    account: number | undefined,
    amount: number,
  ): Promise<void> {
    const { rows } = await client.query<{ balance: string }>({
      name: 'transfer_balance',
      text: 'update control.account set balance = balance + $2::numeric where id = $1 returning balance',
      values: [account, amount],
    });
    await client.query({
      name: 'transfer_entry',
      text: 'insert into control.entry (transfer, account, amount, balance) values ($1, $2, $3, $4)',
      values: [transfer, account, amount, rows[0]?.balance],
    });
  }
}

async function tell(client: Connection): Promise<void> {
  await client.query({
    name: 'row_outbox',
    text: 'insert into control.outbox (value) values ($1)',
    values: [Buffer.from('{}')],
  });
}

async function advance(client: Connection, writer: number): Promise<void> {
  await client.query({
    name: 'row_position',
    text: 'update control.position set next = next + 1 where partition = $1',
    values: [writer],
  });
}
