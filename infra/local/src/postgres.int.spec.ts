import { Client } from 'pg';
import { startPostgres } from './postgres';

describe('PostgreSQL', () => {
  it('answers a query and stops', async () => {
    console.time('start');
    const server = await startPostgres({ settings: { fsync: 'off' } });
    console.timeEnd('start');
    const client = new Client(server.url());
    await client.connect();
    const { rows } = await client.query<{ v: string }>("select version() as v, current_setting('fsync') fsync, pg_encoding_to_char(encoding), datlocale, datcollate from pg_database where datname='postgres'");
    console.log(rows);
    await client.end();
    console.time('stop');
    await server.stop();
    console.timeEnd('stop');
  });
});
