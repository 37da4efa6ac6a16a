import { atLeast, median, reading } from '../figure';
import type { Figure } from '../figure';
import { HTTP_REQUESTS } from '../load/doors';
import { Producer } from '../load/producer';
import { LOAD_PREFIX } from '../setting';
import type { Setting } from '../setting';

const BATCH = 100;
/** As much as is not timed of the first figure. */
const WARM_UP = 100_000;
/** Of a round of the first figure: over HTTP it takes longer. */
const SHARE = 0.25;

/** @param ceiling events a second, of the same run */
export async function httpIngestion(setting: Setting, ceiling: number): Promise<Figure> {
  const { rounds, roundEvents } = setting.size;
  await setting.debits.settled();
  await send(setting, 'http-warm-up', WARM_UP);
  const accepted: number[] = [];
  for (let round = 0; round < rounds; round += 1)
    accepted.push(await send(setting, `http-${round}`, Math.ceil((roundEvents * SHARE) / BATCH) * BATCH));
  const ratio = reading('of the ceiling', median(accepted) / ceiling, '×');
  return {
    name: 'usage over HTTP',
    readings: [reading(`batches of ${BATCH}`, median(accepted), 'events/s')],
    controls: [reading('ceiling', ceiling, 'events/s')],
    ratios: [ratio],
    goals: [atLeast(ratio, 0.3)],
    how:
      `POST /v1/events with batches of ${BATCH} CloudEvents, up to ${HTTP_REQUESTS} requests at once from another process, each ` +
      'durable before its 202, while the ledger and everything behind it take what comes in, what came before rolled up ' +
      'and sealed; from the first request to the last answer. Ceiling: of the first figure.',
  };
}

/** @returns accepted events a second */
async function send(
  { stack, tenant, size, debits }: Setting,
  source: string,
  count: number,
): Promise<number> {
  const { events, seconds } = await Producer.start({
    door: { kind: 'http', url: `${stack.urls.ingestion}/v1/events`, apiKey: tenant.apiKey },
    source,
    customerPrefix: LOAD_PREFIX,
    customers: size.customers,
    perMessage: BATCH,
    count,
    rate: null,
  }).done;
  await debits.quiet();
  const debited = (await debits.of(source)).events;
  if (debited !== events) throw new Error(`${events} events were accepted and ${debited} debited`);
  return events / seconds;
}
