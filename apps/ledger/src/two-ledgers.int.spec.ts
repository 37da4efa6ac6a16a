import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { packUsage, TOPICS } from '@tallygate/contracts';
import { waitUntil } from '@tallygate/infra-local';
import { KafkaLag, OFFSET_WATCH, RealStack, SeededRandom, brokenWatchLaws } from '@tallygate/testing';
import { Client } from 'pg';
import { billingFacts, usageOf } from './two-ledgers.fixture';

const CUSTOMERS = 12;
const EVENTS_A_MESSAGE = 20;
const EVERY_MS = 10;
/** 500 tokens at 0.002. */
const PRICE = 1;
const PATIENCE_MS = 120_000;

const OTHERS = ['ingestion', 'billing', 'dunning', 'notifier', 'entitlement', 'sandbox', 'gate'] as const;

/** Usage of a few customers at a steady pace, straight into the ledger's topic. */
class Load {
  sent = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly random = new SeededRandom(7);
  private readonly publishing = new Set<Promise<void>>();

  constructor(
    private readonly stack: RealStack,
    private readonly tenantId: string,
    private readonly customers: readonly string[],
  ) {}

  start(): void {
    this.timer = setInterval(() => this.send(), EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.publishing);
  }

  private send(): void {
    const customerId = this.random.pick(this.customers);
    const events = usageOf(this.tenantId, customerId, EVENTS_A_MESSAGE);
    this.sent += events.length;
    const message = {
      key: customerId,
      value: packUsage(this.tenantId, events),
      headers: { tenant: this.tenantId },
    };
    const publishing = this.stack.bus
      .publish(TOPICS.usageMetered, [message])
      .finally(() => this.publishing.delete(publishing));
    this.publishing.add(publishing);
  }
}

/** What holds where the second process takes over: at once, or when PostgreSQL has ended the transaction that stands. */
const PAUSES = [
  ['between reading a slice and claiming its partition', 'ledger_claim_positions', 15_000],
  ['for more than a minute in the middle of a transaction', 'ledger_advance_positions', 65_000],
] as const;

describe.each(PAUSES)('of two ledgers one that is stopped %s', (_moment, stopPoint, atLeastMs) => {
  const tenantId = randomUUID();
  const customers = Array.from({ length: CUSTOMERS }, () => randomUUID());
  let stack: RealStack;
  let client: Client;
  let lag: KafkaLag;

  beforeAll(async () => {
    stack = await RealStack.start({ without: OTHERS, ledgers: 2, stopPoint });
    client = new Client({ connectionString: stack.databaseUrl });
    await client.connect();
    await client.query(OFFSET_WATCH);
    lag = await KafkaLag.connect(stack.brokers);
    await stack.bus.publish(TOPICS.billingEvents, billingFacts(tenantId, customers));
    await until(
      'the ledger knows its customers',
      async () => (await count('subscription_version')) === CUSTOMERS,
    );
  });
  afterAll(async () => {
    await lag?.close();
    await client?.end();
    await stack?.close();
  });

  async function count(table: string): Promise<number> {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from ledger.${table}`,
    );
    return rows[0]?.count ?? 0;
  }

  async function owners(): Promise<readonly string[]> {
    const { rows } = await client.query<{ owner: string }>(
      `select distinct owner from ledger.consumer_offset where topic = 'usage.metered' order by owner`,
    );
    return rows.map(({ owner }) => owner);
  }

  async function behind(): Promise<bigint> {
    const { rows } = await client.query<{ next: string }>(
      `select sum(greatest(next_offset, 0)) as next from ledger.consumer_offset where topic = 'usage.metered'`,
    );
    const ends = [...(await lag.ends(TOPICS.usageMetered)).values()];
    return ends.reduce((sum, end) => sum + end, 0n) - BigInt(rows[0]?.next ?? 0);
  }

  async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
    if (!(await waitUntil(condition, PATIENCE_MS))) throw new Error(`in vain: ${what}`);
  }

  it('loses its partitions to the other one, writes nothing when it wakes, and shares the work again', async () => {
    const load = new Load(stack, tenantId, customers);
    load.start();
    await until('both ledgers own partitions', async () => (await owners()).length === 2);
    const shared = await owners();
    expect(await stack.pauseAtPoint('ledger')).toBe(true);
    const stopped = performance.now();
    await until('one ledger owns everything', async () => (await owners()).length === 1);
    const taken = await count('usage_event');
    await until('it goes on alone', async () => (await count('usage_event')) > taken + 1_000);
    await delay(Math.max(0, atLeastMs - (performance.now() - stopped)));
    stack.resumeProcess('ledger');
    await until('both own partitions again', async () => (await owners()).length === 2);
    expect(await owners()).toEqual(shared);
    await load.stop();
    await until('everything is taken', async () => (await behind()) === 0n);

    const { rows } = await client.query<Record<string, number>>(
      `select count(*)::int as events, count(distinct event_id)::int as ids, sum(amount)::float8 as charged,
              (select sum(debt)::float8 from ledger.wallet) as debt,
              (select count(*)::int from judge.offset_move where epoch > epoch_before) as takeovers
         from ledger.usage_event`,
    );
    const total = load.sent * PRICE;
    expect(rows[0]).toMatchObject({ events: load.sent, ids: load.sent, charged: total, debt: total });
    expect(rows[0]?.['takeovers']).toBeGreaterThanOrEqual(6);
    expect(await brokenWatchLaws(client)).toEqual([]);
  });
});
