import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@tallygate/infra-local';
import { ledgerProvisioning } from '@tallygate/ledger';
import { type TestDatabase, createTestDatabase } from '@tallygate/platform';
import { Client } from 'pg';
import { partitionsCommand } from './partitions.command';
import { verifyCommand } from './verify.command';

const TENANT = randomUUID();
const AT = '2026-03-01T00:00:00Z';

let server: PostgresServer;
let test: TestDatabase;
let owner: Client;
let folder: string;

beforeAll(async () => {
  server = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'tallygate-verify-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  test = await createTestDatabase(server, [ledgerProvisioning]);
  owner = new Client({ connectionString: test.url, options: '-c search_path=ledger' });
  await owner.connect();
  await owner.query(`
    insert into wallet (tenant_id, customer_id, unit, version, debt) values ('${TENANT}', gen_random_uuid(), 'USD', 2, 3);
    insert into debt values (gen_random_uuid(), '${TENANT}', 1, null, '${AT}', 3, 0, true);
    insert into journal (wallet_id, version, tenant_id, kind, posted_at, effective_at, free, held, debt, contra)
    values (1, 1, '${TENANT}', 'debt', '${AT}', '${AT}', 0, 0, 1, 1), (1, 2, '${TENANT}', 'debt', '${AT}', '${AT}', 0, 0, 2, 2)`);
});
afterEach(async () => {
  await owner.end();
  await test.drop();
});

type CommandOf = typeof verifyCommand;

async function run(command: CommandOf, words: readonly string[], url = test.url) {
  const lines: string[] = [];
  const output = {
    line: (text: string) => void lines.push(text),
    error: (text: string) => void lines.push(text),
  };
  const code = await command(words, output, { DATABASE_URL: url, DATABASE_ROLE_SECRET: test.roleSecret });
  return { code, text: lines.join('\n') };
}

describe('verify', () => {
  it('ends with 0 when everything is as it was written', async () => {
    const { code, text } = await run(verifyCommand, []);
    expect({ code, text }).toEqual({
      code: 0,
      text: `tenant ${TENANT}: valid, 0 rows sealed, 2 not yet; nothing sealed yet\n1 tenants: valid`,
    });
  });

  it('ends with 1 and names the row when one is not', async () => {
    await owner.query('set session_replication_role = replica; delete from journal where version = 2');
    const { code, text } = await run(verifyCommand, ['--tenant', TENANT, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(text)).toMatchObject({
      tenant: TENANT,
      valid: false,
      problem: 'wallet 1 (customer unknown, USD), version 2: the row is gone',
    });
  });

  it('ends with 1 when a balance is not the fold of the journal', async () => {
    await owner.query('update wallet set debt = 4');
    expect(await run(verifyCommand, [])).toMatchObject({
      code: 1,
      text: expect.stringContaining('a balance is not') as string,
    });
  });

  it('notices with an anchor that a chain was made anew', async () => {
    const seal = `insert into journal_seal values ('${TENANT}', 1, '', 0, 0, sha256(''), $1, '${AT}')`;
    const anchor = join(folder, 'anchor.json');
    await owner.query(seal.replace('$1', `'a'`));
    await owner.query(`set session_replication_role = replica;
      update journal_seal s set hash = sha256(record_send(row(tenant_id, seq, previous, parts, rows, content, sealed_at)))`);
    expect(await run(verifyCommand, ['--anchor', anchor])).toMatchObject({ code: 0 });
    expect(await readFile(anchor, 'utf8')).toContain('"seal": "1"');
    await owner.query(`
      update journal_seal s set sealed_at = sealed_at + interval '1 hour';
      update journal_seal s set hash = sha256(record_send(row(tenant_id, seq, previous, parts, rows, content, sealed_at)))`);
    expect(await run(verifyCommand, [])).toMatchObject({ code: 0 });
    const { code, text } = await run(verifyCommand, ['--anchor', anchor]);
    expect(code).toBe(1);
    expect(text).toContain('seal 1: it is another one');
    await owner.query('delete from journal_seal');
    expect((await run(verifyCommand, ['--anchor', anchor])).text).toContain('seal 1: it is gone');
  });

  it.each([
    ['an unknown option', ['--all'], undefined],
    ['what is no tenant', ['--tenant', 'acme'], undefined],
    ['a server that is not there', [], 'postgres://nobody@127.0.0.1:1/none'],
  ])('ends with 2 for %s', async (_, words, url) => {
    expect((await run(verifyCommand, words, url)).code).toBe(2);
  });
});

describe('partitions', () => {
  beforeEach(async () => {
    await owner.query(`insert into consumer_offset values ('ledger.usage', 'usage.metered', 3, 40, 2, 'me')`);
  });

  it('shows how far each was taken', async () => {
    expect(await run(partitionsCommand, [])).toEqual({
      code: 0,
      text: 'usage.metered/3: next 40, epoch 2, owner me',
    });
  });

  it('lets one that stands still go on, and keeps who did it', async () => {
    await owner.query(`insert into partition_stop values ('usage.metered', 3, 40, 90, '${AT}')`);
    expect(await run(partitionsCommand, [])).toMatchObject({
      code: 1,
      text: expect.stringContaining('STANDS STILL: the log continues at 90') as string,
    });
    const words = ['skip', '--partition', '3', '--author', 'ops', '--reason', 'retention'];
    expect(await run(partitionsCommand, words)).toEqual({
      code: 0,
      text: 'usage.metered/3 goes on at 90; usage at offsets 40 to 89 is lost',
    });
    expect(await run(partitionsCommand, [])).toMatchObject({ code: 0 });
    const { rows } = await owner.query('select from_offset, to_offset, author, reason from partition_skip');
    expect(rows).toEqual([{ from_offset: '40', to_offset: '90', author: 'ops', reason: 'retention' }]);
    expect(await run(partitionsCommand, words)).toMatchObject({ code: 1 });
  });

  it.each([[['skip', '--partition', '3']], [['skip', '--author', 'a', '--reason', 'r']], [['jump']]])(
    'ends with 2 for %j',
    async (words) => {
      expect((await run(partitionsCommand, words)).code).toBe(2);
    },
  );
});
