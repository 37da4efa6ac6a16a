import { Client } from 'pg';
import fc from 'fast-check';
import { instant } from '@tallygate/kernel';
import { startPostgres } from '@tallygate/infra-local';
import type { PostgresServer } from '@tallygate/infra-local';
import {
  bigints,
  booleans,
  instants,
  integers,
  jsonbs,
  numerics,
  smallints,
  texts,
  uuids,
} from './binary-arrays';

let server: PostgresServer;
let client: Client;

beforeAll(async () => {
  server = await startPostgres({ settings: { fsync: 'off' } });
  client = new Client(server.url());
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await server.stop();
});

/** Microseconds since 1970, exact. */
const ISO = `((extract(epoch from x) * 1000000)::bigint)::text`;

/** What the server reads, as text. */
async function readBack(type: string, value: Buffer): Promise<(string | null)[]> {
  const { rows } = await client.query<{ t: string | null }>(
    `select ${type === 'timestamptz' ? ISO : 'x::text'} as t from unnest($1::${type}[]) as x`,
    [value],
  );
  return rows.map((row) => row.t);
}

const nullable = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<(T | null)[]> =>
  fc.array(fc.option(of), { maxLength: 20 });
const shown = <T>(list: readonly (T | null)[], show: (value: T) => string) =>
  list.map((value) => (value === null ? null : show(value)));
/** PostgreSQL's texts hold no zero character. */
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
const time = fc.maxSafeInteger().map((micros) => instant(Math.trunc(micros / 2)));

/** type, arbitrary elements, encoder, the text the server should read */
const CASES: readonly [string, fc.Arbitrary<unknown>, (list: never) => Buffer, (value: never) => string][] = [
  ['numeric', fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }), numerics, withNineDecimals],
  ['numeric', fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), numerics, withNineDecimals],
  ['bigint', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), bigints, String],
  ['bigint', fc.maxSafeInteger(), bigints, String],
  ['integer', fc.integer(), integers, String],
  ['smallint', fc.integer({ min: -32_768, max: 32_767 }), smallints, String],
  ['boolean', fc.boolean(), booleans, String],
  ['uuid', fc.uuid(), uuids, String],
  ['text', text, texts, String],
  ['timestamptz', time, instants, String],
];

describe('binary arrays', () => {
  it.each(CASES)('carry %s exactly', async (type, element, encode, show) => {
    await fc.assert(
      fc.asyncProperty(nullable(element), async (list) => {
        const read = await readBack(type, encode(list as never));
        expect(read).toEqual(shown(list, show as (value: unknown) => string));
      }),
      { numRuns: 100 },
    );
  });

  it('carry JSON', async () => {
    expect(await readBack('jsonb', jsonbs(['{"a": 1}', null, '"ü"']))).toEqual(['{"a": 1}', null, '"ü"']);
  });
});

function withNineDecimals(value: bigint): string {
  const size = String(value < 0n ? -value : value).padStart(10, '0');
  return `${value < 0n ? '-' : ''}${size.slice(0, -9)}.${size.slice(-9)}`;
}
