import { startPostgres } from '@tallygate/infra-local';
import { fromMillis } from '@tallygate/kernel';
import { ledgerProvisioning } from '@tallygate/ledger';
import { createTestDatabase } from '@tallygate/platform';
import { Engine } from './engine';
import type { UsageQuestion } from './engine';
import type { Customer } from './workload';

const FROM = fromMillis(Date.UTC(2026, 2, 1));
const TO = fromMillis(Date.UTC(2026, 3, 1));
const ROUNDS = 9;
const SLICE = 4_000;
/** In no catalog, so that it may be asked for every aggregation. */
const METER = 'measured';

/** One customer's month, five models, in an order of arrival that is the order of time but for a day of disorder. */
const EVENTS = `
insert into usage_event (generation, identity, ordinal, payload, tenant_id, customer_id, source, event_id, meter, quantity,
                         grp, occurred_at, slice_id, position)
select 1, gen_random_uuid(), 0, gen_random_uuid(), $1, $2, 'bench', 'e-' || n, '${METER}', (n % 900)::numeric / 7,
       jsonb_build_object('model', 'm' || n % 5),
       timestamptz '2026-03-01T00:00:00Z' + interval '30 days' * (n::float8 / $3::float8) + interval '1 day' * random(),
       n / ${SLICE}, n % ${SLICE}
  from generate_series(0, $3::integer - 1) as n`;
const SLICES = `insert into unfolded_slice select generate_series(0, ($1::integer - 1) / ${SLICE})`;

const ASKED = ['sum', 'count', 'avg', 'min', 'max', 'latest'] as const;
type Aggregation = (typeof ASKED)[number];

/** Milliseconds. */
type Times = Readonly<Partial<Record<Aggregation, { readonly median: number; readonly worst: number }>>>;

export interface UsageQueryFigures {
  readonly events: number;
  readonly fromEvents: Times;
  readonly rolledUp: Times;
  readonly foldMicrosPerEvent: number;
}

/** A month of one customer's usage by day and model, before and after its events were rolled up; milliseconds. */
export async function benchUsageQuery(
  events: number,
  asked: readonly Aggregation[] = ASKED,
): Promise<UsageQueryFigures> {
  const server = await startPostgres({ settings: { shared_buffers: '1GB', max_wal_size: '8GB' } });
  const test = await createTestDatabase(server, [ledgerProvisioning]);
  const engine = new Engine(test.url, test.roleSecret);
  try {
    const [customer] = await engine.prepare(1, 1);
    if (customer === undefined) throw new Error('No customer was prepared');
    await engine.fill(EVENTS, [customer.tenantId, customer.customerId, events]);
    await engine.fill(SLICES, [events]);
    const fromEvents = await timesOf(engine, customer, asked);
    const foldMicrosPerEvent = ((await engine.foldAll()) * 1_000) / events;
    return { events, fromEvents, foldMicrosPerEvent, rolledUp: await timesOf(engine, customer, asked) };
  } finally {
    await engine.close();
    await test.drop();
    await server.stop();
  }
}

async function timesOf(engine: Engine, customer: Customer, asked: readonly Aggregation[]): Promise<Times> {
  const found: [Aggregation, { median: number; worst: number }][] = [];
  for (const aggregation of asked) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1)
      times.push(await timeOf(engine, customer, questionOf(aggregation)));
    times.sort((a, b) => a - b);
    found.push([aggregation, { median: times[ROUNDS >> 1] ?? NaN, worst: times.at(-1) ?? NaN }]);
  }
  return Object.fromEntries(found);
}

async function timeOf(engine: Engine, customer: Customer, question: UsageQuestion): Promise<number> {
  const begun = performance.now();
  const result = await engine.usage(customer, question);
  if (result.kind !== 'rows' || result.rows.length < 150)
    throw new Error(JSON.stringify(result).slice(0, 200));
  return Math.round(performance.now() - begun);
}

function questionOf(aggregation: Aggregation): UsageQuestion {
  return {
    meter: { key: METER, aggregation },
    from: FROM,
    to: TO,
    window: 'day',
    zone: 'Europe/Berlin',
    groupBy: ['model'],
    filter: {},
    limit: 10_000,
    after: null,
  };
}

if (require.main === module) {
  const asked = ASKED.filter((one) => process.argv.length < 4 || process.argv.includes(one));
  void benchUsageQuery(Number(process.argv[2] ?? 1_000_000), asked).then((figures) =>
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`),
  );
}
