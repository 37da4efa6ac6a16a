import { Client } from 'pg';
import { KafkaLag } from '../load/kafka-lag';
import type { LiveTenant } from '../load/live-tenant';
import { callHttp } from '../scenario/session';
import type { RealStack } from '../stack/real-stack';
import type { ClientRecord } from './client-record';
import { CLIENT_TABLES, OFFSET_WATCH, brokenLaws, brokenWatchLaws } from './laws';
import { publishedBalances } from './published-balances';

const POLL_MS = 250;

/** Reads the truth itself: databases as their owner, the broker's offsets, the provider's own record. */
export class Judge {
  private constructor(
    private readonly stack: RealStack,
    private readonly tenant: LiveTenant,
    private readonly client: Client,
    private readonly lag: KafkaLag,
  ) {}

  static async open(stack: RealStack, tenant: LiveTenant): Promise<Judge> {
    const client = new Client({ connectionString: stack.databaseUrl });
    await client.connect();
    await client.query(OFFSET_WATCH);
    return new Judge(stack, tenant, client, await KafkaLag.connect(stack.brokers));
  }

  /**
   * Waits until nothing is on its way.
   * @returns what still was when patience ended; empty when everything came to rest
   */
  async rest(patienceMs: number): Promise<readonly string[]> {
    const end = performance.now() + patienceMs;
    for (;;) {
      const moving = await this.moving();
      if (moving.length === 0 || performance.now() > end) return moving;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** @returns one line per law that does not hold, with examples */
  async violations(record: ClientRecord): Promise<readonly string[]> {
    await this.load(record);
    const broken = await brokenLaws(this.client, this.tenant.id);
    return [...broken, ...(await brokenWatchLaws(this.client)), ...(await this.publicVerdict())];
  }

  async close(): Promise<void> {
    await this.lag.close();
    await this.client.end();
  }

  private async moving(): Promise<string[]> {
    return [
      ...(await this.lags()),
      ...(await this.outboxes()),
      ...(await this.gathered()),
      ...(await this.gates()),
    ];
  }

  /** A group that stores its offsets with its work is asked in the database, the others at the broker. */
  private async lags(): Promise<string[]> {
    const { rows: stored } = await this.client.query<StoredOffset>(
      'select consumer_group, topic, partition, next_offset from ledger.consumer_offset',
    );
    const own = new Set(stored.map((row) => row.consumer_group));
    const byBroker = [...(await this.lag.all())].filter(([group, lag]) => lag > 0 && !own.has(group));
    const lines = byBroker.map(([group, lag]) => `${group} is ${lag} messages behind`);
    for (const topic of new Set(stored.map((row) => row.topic))) {
      const lag = await this.storedLag(
        topic,
        stored.filter((row) => row.topic === topic),
      );
      if (lag > 0n) lines.push(`${topic} is ${lag} messages behind`);
    }
    return lines;
  }

  private async storedLag(topic: string, rows: readonly StoredOffset[]): Promise<bigint> {
    const next = new Map(rows.map((row) => [row.partition, BigInt(row.next_offset)]));
    const ends = await this.lag.ends(topic);
    const behind = [...ends].map(([partition, end]) => end - max(next.get(partition) ?? 0n, 0n));
    return behind.reduce((sum, lag) => sum + max(lag, 0n), 0n);
  }

  private async outboxes(): Promise<string[]> {
    const { rows: schemas } = await this.client.query<{ name: string }>(
      `select table_schema as name from information_schema.tables where table_name = 'outbox'`,
    );
    const lines: string[] = [];
    for (const { name } of schemas) {
      const { rows } = await this.client.query<{ count: number }>(
        `select count(*)::int as count from ${name}.outbox`,
      );
      if ((rows[0]?.count ?? 0) > 0) lines.push(`the outbox of ${name} holds ${rows[0]?.count} facts`);
    }
    return lines;
  }

  /** Changes that flip nothing leave once a second. */
  private async gathered(): Promise<string[]> {
    const { rows } = await this.client.query<{ count: number }>(
      'select count(*)::int as count from ledger.wallet where tenant_id = $1 and revision <> published_revision',
      [this.tenant.id],
    );
    const count = rows[0]?.count ?? 0;
    return count > 0 ? [`${count} balances have not left the ledger`] : [];
  }

  private async gates(): Promise<string[]> {
    if (!this.stack.pids().has('gate')) return [];
    const answer = await this.tenant.call('entitlement', '/v1/gates').catch(() => null);
    const listed: unknown = answer?.body;
    const gates = Array.isArray(listed) ? (listed as { connected?: boolean; digest_equal?: boolean }[]) : [];
    if (gates.some((gate) => gate.connected && gate.digest_equal)) return [];
    return [`no gate has the service’s state: ${JSON.stringify(listed ?? null)}`];
  }

  private async load(record: ClientRecord): Promise<void> {
    await this.client.query(CLIENT_TABLES);
    const usage = [...record.usage.values()];
    await this.client.query(
      'insert into client_usage select * from unnest($1::text[], $2::text[], $3::bigint[], $4::boolean[])',
      [
        usage.map(({ id }) => id),
        usage.map(({ subject }) => subject),
        usage.map(({ tokens }) => tokens),
        usage.map(({ acknowledged }) => acknowledged),
      ],
    );
    const topUps = [...record.topUps.values()];
    await this.client.query(
      'insert into client_top_up select * from unnest($1::text[], $2::text[], $3::numeric[], $4::integer[])',
      [
        topUps.map(({ key }) => key),
        topUps.map(({ customer }) => customer),
        topUps.map(({ amount }) => amount),
        topUps.map(({ status }) => status),
      ],
    );
    await this.client.query('insert into client_conflict select * from unnest($1::text[], $2::text[])', [
      [...record.conflicts.keys()],
      [...record.conflicts.values()],
    ]);
    await this.loadCaptures();
    await this.loadPublished();
  }

  private async loadPublished(): Promise<void> {
    const published = [...(await publishedBalances(this.stack.bus, this.tenant.id))];
    await this.client.query(
      'insert into published_balance select * from unnest($1::uuid[], $2::text[], $3::bigint[])',
      [
        published.map(([name]) => name.split(' ')[0]),
        published.map(([name]) => name.split(' ')[1]),
        published.map(([, revision]) => revision),
      ],
    );
  }

  private async loadCaptures(): Promise<void> {
    const answer = await callHttp(`${this.stack.urls.sandbox}/control/charges?tenant=${this.tenant.id}`);
    const charges = (answer.body?.['list'] ?? []) as readonly Charge[];
    const captured = charges.filter((charge) => charge.captured_at !== null);
    await this.client.query('insert into capture select * from unnest($1::text[], $2::numeric[])', [
      captured.map(({ invoice }) => invoice),
      captured.map(({ amount }) => amount),
    ]);
  }

  /** What the product says of itself must be the same. */
  private async publicVerdict(): Promise<string[]> {
    const { status, body } = await this.tenant.call('ledger', '/v1/journal');
    const fine = status === 200 && body?.['balanced'] === true && body['chain'] === 'valid';
    return fine ? [] : [`GET /v1/journal answers ${status} ${JSON.stringify(body)}`];
  }
}

interface StoredOffset {
  readonly consumer_group: string;
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: string;
}

interface Charge {
  readonly invoice: string;
  readonly amount: string;
  readonly captured_at: string | null;
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
