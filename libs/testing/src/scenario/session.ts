import { formatInstant, type Instant } from '@tallygate/kernel';
import type { CustomerSpec, Head } from './format';
import { dateInZone, momentOf } from './moments';
import type { MatchContext } from './match';
import type { ServiceName, Stack } from './stack';

/** What a verb answered, or what a look-up found. `body` is the JSON body, or null. */
export interface Answer {
  readonly status: number;
  readonly code: string | null;
  readonly body: Record<string, unknown> | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One HTTP call; a refusal is an answer, only a server that cannot be reached throws. */
export async function callHttp(url: string, call: Call = {}): Promise<Answer> {
  const headers: Record<string, string> = { ...call.headers };
  if (call.body !== undefined) headers['content-type'] ??= 'application/json';
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const response = await fetch(url, { method: call.method ?? 'GET', headers, body });
  const parsed = parseJson(await response.text());
  const code = typeof parsed?.['code'] === 'string' ? parsed['code'] : null;
  return { status: response.status, code, body: parsed, headers: Object.fromEntries(response.headers) };
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Drops what the step left out, so that the call leaves it out too. */
export function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** One scenario's tenant on a stack: its key, its clock, and what the runner must remember between steps. */
export class Session implements MatchContext {
  now: Instant;
  /** True when something was sent since the system last came to rest. */
  dirty = true;
  /** First credential of each customer, in clear. */
  readonly credentials = new Map<string, string>();
  /** Time with which each usage id was first sent, so that a repeat sends the same event. */
  readonly usageTimes = new Map<string, string>();
  /** How many notices and e-mails of a customer were already looked at. */
  readonly seen = new Map<string, number>();
  /** Requests in flight, by the name that `finish` uses. */
  readonly open = new Map<string, string>();
  /** The invoice of each top-up, by the top-up's key. */
  readonly topUpInvoices = new Map<string, string>();
  private sent = 0;

  private constructor(
    readonly stack: Stack,
    readonly head: Omit<Head, 'steps'>,
    readonly tenantId: string,
    readonly providerKey: string,
  ) {
    this.now = momentOf(head.clock, head.timezone);
  }

  static async open(stack: Stack, head: Omit<Head, 'steps'>): Promise<Session> {
    const created = await callHttp(`${stack.urls.billing}/v1/tenants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack.rootKey}` },
      body: {
        name: head.scenario.slice(0, 200),
        mode: 'test',
        timezone: head.timezone,
        currency: head.currency,
        clock: formatInstant(momentOf(head.clock, head.timezone)),
        settings: head.settings,
      },
    });
    if (created.status >= 300) throw new Error(`the tenant was refused: ${JSON.stringify(created.body)}`);
    return new Session(stack, head, String(created.body?.['id']), String(created.body?.['api_key']));
  }

  readonly dateAsInstant = (text: string): Instant | null => dateInZone(text, this.head.timezone);

  /** An instant or date of the file, as the APIs take it. */
  moment(text: unknown): string | undefined {
    return typeof text === 'string' ? formatInstant(momentOf(text, this.head.timezone)) : undefined;
  }

  call(service: ServiceName, path: string, call: Call = {}): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.providerKey}`, ...call.headers };
    return callHttp(`${this.stack.urls[service]}${path}`, { ...call, headers });
  }

  /** A call that changes something: JSON in, with an idempotency key (the step's own where it has one). */
  change(
    service: ServiceName,
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    key?: string,
  ): Promise<Answer> {
    const idempotencyKey = key ?? `step-${this.tenantId}-${this.nextNumber()}`;
    return this.call(service, path, { method, body, headers: { 'idempotency-key': idempotencyKey } });
  }

  sandbox(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    return callHttp(`${this.stack.urls.sandbox}${path}`, {
      method,
      body: body && { ...body, tenant: this.tenantId, now: formatInstant(this.now) },
      headers: { 'x-tallygate-internal': this.stack.internalSecret },
    });
  }

  /** Moves the tenant's clock and lets everything come to rest; without `to` only the latter. */
  async settle(to?: Instant): Promise<void> {
    const moving = to !== undefined && to !== this.now;
    if (!moving && !this.dirty) return;
    const path = moving ? '/v1/test-clock/advance' : '/v1/test-clock/settle';
    const answer = await this.call('billing', path, {
      method: 'POST',
      body: moving ? { to: formatInstant(to) } : {},
    });
    if (answer.status >= 300)
      throw new Error(`the clock did not move: ${answer.status} ${JSON.stringify(answer.body)}`);
    if (to !== undefined) this.now = to;
    this.dirty = false;
  }

  /** Numbers what the file left unnamed. */
  nextNumber(): number {
    this.sent += 1;
    return this.sent;
  }

  async createCustomer(spec: CustomerSpec): Promise<Answer> {
    const answer = await this.change('billing', 'POST', '/v1/customers', this.customerBody(spec));
    const created = answer.body?.['api_keys'];
    const first = spec.api_keys?.[0];
    const text = typeof first === 'string' ? first : first?.key;
    const generated = Array.isArray(created) ? (created[0] as { key?: string } | undefined)?.key : undefined;
    const credential = text ?? generated;
    if (credential) this.credentials.set(spec.key, credential);
    return answer;
  }

  customerBody(spec: CustomerSpec): Record<string, unknown> {
    const apiKeys = spec.api_keys?.map((key) =>
      typeof key === 'string'
        ? key
        : given({ ...key, expires_at: this.moment(key.expires_at), revoked_at: this.moment(key.revoked_at) }),
    );
    return given({ ...spec, webhook: undefined, api_keys: apiKeys });
  }
}
