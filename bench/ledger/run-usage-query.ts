import { performance } from 'node:perf_hooks';
import { startPostgres } from '@tallygate/infra-local';
import { ManualClock } from '@tallygate/kernel';
import { ledgerProvisioning } from '@tallygate/ledger';
import { createTestDatabase, PgDatabase } from '@tallygate/platform';
/* eslint-disable @nx/enforce-module-boundaries -- the ledger’s own assembly for its tests, which no barrel offers */
import { PgUsageReadings } from '../../libs/ledger/src/postgres/pg-usage-readings';
import { PgUsageRollupStore } from '../../libs/ledger/src/postgres/pg-usage-rollup.store';
import { UsageQuery } from '../../libs/ledger/src/service/usage-query.service';
import type { UsageRequest } from '../../libs/ledger/src/service/usage-query.service';
import { assembleLedger } from '../../libs/ledger/src/testing/ledger-under-test';
import { at, introduce } from '../../libs/ledger/src/testing/sample';
/* eslint-enable @nx/enforce-module-boundaries */

const FROM = at('2026-03-01T00:00:00Z');
const TO = at('2026-04-01T00:00:00Z');
const NOW = at('2026-04-02T00:00:00Z');
const ROUNDS = 9;

/** All of one customer's month, five models, an arrival order that is the order of time but for a day of disorder. */
const FILL = `
insert into usage_event (generation, identity, ordinal, payload, tenant_id, customer_id, source, event_id, meter, quantity,
                         value, grp, occurred_at, slice_id, position)
select 1, gen_random_uuid(), 0, gen_random_uuid(), $1, $2, 'bench', 'e-' || n, m.meter, (n % 900)::numeric / 7, null,
       jsonb_build_object('model', 'm' || n % 5),
       timestamptz '2026-03-01T00:00:00Z' + interval '31 days' * (n::float8 / $3::float8) * 0.96
         + interval '1 day' * random(), n / 4000, n % 4000
  from generate_series(0, $3::integer - 1) as n, (values ('tokens')) as m (meter)`;

type Aggregation = UsageRequest['meter']['aggregation'];

async function main(events: number): Promise<void> {
  const server = await startPostgres({ settings: { shared_buffers: '1GB', max_wal_size: '8GB' } });
  const test = await createTestDatabase(server, [ledgerProvisioning]);
  const database = new PgDatabase({ url: test.url, schema: 'ledger', roleSecret: test.roleSecret });
  try {
    const of = await introduce(assembleLedger(database, new ManualClock(NOW)), { now: NOW });
    await database.asWorker(async (tx) => {
      await tx.query(FILL, [of.tenantId, of.customerId, events]);
      await tx.query(
        'insert into unfolded_slice select distinct n / 4000 from generate_series(0, $1::integer - 1) as n',
        [events],
      );
    });
    const query = new UsageQuery(new PgUsageReadings());
    const ask = async (aggregation: Aggregation): Promise<number> => {
      const request: UsageRequest = {
        ...of,
        meter: { key: 'tokens', aggregation },
        from: FROM,
        to: TO,
        window: 'day',
        zone: 'Europe/Berlin',
        groupBy: ['model'],
        filter: {},
        limit: 10_000,
        after: null,
      };
      const begun = performance.now();
      const result = await database.asTenant(of.tenantId, (tx) => query.ask(tx, request, NOW));
      if (result.kind !== 'rows' || result.rows.length < 150)
        throw new Error(JSON.stringify(result).slice(0, 200));
      return performance.now() - begun;
    };
    const unfolded = await medians(ask);
    const rollup = new PgUsageRollupStore();
    const begun = performance.now();
    while ((await database.asWorker((tx) => rollup.fold(tx, 64))) > 0);
    const foldMicros = ((performance.now() - begun) * 1_000) / events;
    const folded = await medians(ask);
    process.stdout.write(
      `${JSON.stringify({ events, unfolded, foldMicrosPerEvent: foldMicros, folded }, null, 2)}\n`,
    );
  } finally {
    await database.close();
    await test.drop();
    await server.stop();
  }
}

/** Milliseconds, median and worst of some rounds. */
async function medians(ask: (aggregation: Aggregation) => Promise<number>): Promise<Record<string, object>> {
  const found: Record<string, object> = {};
  for (const aggregation of ['sum', 'count', 'avg', 'min', 'max', 'latest'] as const) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) times.push(Math.round(await ask(aggregation)));
    times.sort((a, b) => a - b);
    found[aggregation] = { median: times[ROUNDS >> 1], worst: times.at(-1) };
  }
  return found;
}

if (require.main === module) void main(Number(process.argv[2] ?? 1_000_000));
