import type { Expectation } from './format';
import { type Session, given } from './session';

type Json = Record<string, unknown>;
/** Looks up what is to be compared with the expectation. */
type LookUp = (session: Session, expected: Json) => Promise<Json>;

const customerOf = (expected: Json): string => encodeURIComponent(String(expected['customer']));

/** Where each supported expectation finds its facts; one of the format that is missing here is not supported yet. */
export const LOOK_UP: { readonly [E in Expectation]?: LookUp } = {
  wallet: (session, expected) => {
    const query = queryOf({
      at: session.moment(expected['at']),
      known_at: session.moment(expected['known_at']),
    });
    return read(
      session,
      'ledger',
      `/v1/customers/${customerOf(expected)}/wallets/${unitOf(expected)}${query}`,
    );
  },
  entries: async (session, expected) => {
    const found = await read(
      session,
      'ledger',
      `/v1/customers/${customerOf(expected)}/wallets/${unitOf(expected)}/entries`,
    );
    return { list: found['entries'] };
  },
  usage: async (session, expected) => {
    const { customer, meter, window, timezone, group_by: groupBy } = expected;
    const query = queryOf({
      customer,
      meter,
      window,
      timezone,
      from: session.moment(expected['from']),
      to: session.moment(expected['to']),
      group_by: Array.isArray(groupBy) ? groupBy.join(',') : groupBy,
    });
    return read(session, 'ledger', `/v1/usage${query}${filtersOf(expected['filter'])}`);
  },
  entitlement: (session, expected) =>
    read(
      session,
      'entitlement',
      `/v1/customers/${customerOf(expected)}/entitlements/${encodeURIComponent(String(expected['feature']))}`,
    ),
  subscription: (session, expected) =>
    read(session, 'billing', `/v1/customers/${customerOf(expected)}/subscription`),
  invoices: (session, expected) =>
    list(session, 'billing', `/v1/customers/${customerOf(expected)}/invoices`, 'invoices'),
  attempts: (session, expected) =>
    list(session, 'dunning', `/v1/customers/${customerOf(expected)}/attempts`, 'attempts'),
  captures: async (session, expected) => {
    const query = queryOf({ tenant: session.tenantId, customer: expected['customer'] });
    const answer = await session.sandbox('GET', `/control/captures${query}`);
    return { list: answer.body?.['list'], total: answer.body?.['total'] };
  },
  notices: async (session, expected) => {
    const found = await list(session, 'notifier', `/v1/customers/${customerOf(expected)}/notices`, 'notices');
    return { list: unseen(session, `notices:${String(expected['customer'])}`, found.list, expected['kind']) };
  },
  emails: (session, expected) => {
    const customer = String(expected['customer']);
    return Promise.resolve({
      list: unseen(session, `emails:${customer}`, mailsOf(session, customer), expected['kind']),
    });
  },
  parked: async (session) => {
    const unmetered = await list(session, 'ingestion', '/v1/parked', 'parked');
    const unpriced = await list(session, 'ledger', '/v1/rating/parked', 'parked');
    return { list: [...unmetered.list, ...unpriced.list] };
  },
  dead_letters: (session) => list(session, 'ingestion', '/v1/dead-letters', 'dead_letters'),
  alerts: (session) => list(session, 'notifier', '/v1/alerts', 'alerts'),
  gates: async (session) => {
    const found = await list(session, 'entitlement', '/v1/gates', 'gates');
    const gates = found.list as { digest_equal?: boolean; unknown?: number }[];
    const unknown = gates.reduce((sum, gate) => sum + (gate.unknown ?? 0), 0);
    return {
      digest: gates.length > 0 && gates.every((gate) => gate.digest_equal) ? 'equal' : 'different',
      unknown,
    };
  },
  journal: (session) => read(session, 'ledger', '/v1/journal'),
};

const unitOf = (expected: Json): string => encodeURIComponent(String(expected['unit']));

function queryOf(fields: Json): string {
  const query = new URLSearchParams(given(fields) as Record<string, string>).toString();
  return query === '' ? '' : `?${query}`;
}

/** `{model: [m1, m2]}` as the query has it. */
function filtersOf(filter: unknown): string {
  return Object.entries((filter ?? {}) as Json)
    .flatMap(([group, values]) => [values].flat().map((value) => `${group}:${String(value)}`))
    .map((text) => `&filter=${encodeURIComponent(text)}`)
    .join('');
}

async function read(session: Session, service: Parameters<Session['call']>[0], path: string): Promise<Json> {
  const answer = await session.call(service, path);
  if (answer.status >= 300)
    throw new Error(`${service} answered ${answer.status} ${JSON.stringify(answer.body)} to ${path}`);
  return answer.body ?? {};
}

async function list(
  session: Session,
  service: Parameters<Session['call']>[0],
  path: string,
  key: string,
): Promise<{ list: readonly unknown[] }> {
  const body = await read(session, service, path);
  const found: unknown = Array.isArray(body) ? body : (body[key] ?? body['list']);
  if (!Array.isArray(found)) throw new Error(`${service} answered ${path} without "${key}"`);
  return { list: found };
}

/** E-mails carry whom and what they are about in headers of their own. */
function mailsOf(session: Session, customer: string): readonly Json[] {
  return session.stack
    .mails()
    .filter(
      (mail) =>
        mail.headers['x-tallygate-tenant'] === session.tenantId &&
        mail.headers['x-tallygate-customer'] === customer,
    )
    .map(({ to, headers }) => ({
      at: headers['x-tallygate-at'],
      to: to[0],
      kind: headers['x-tallygate-kind'],
      subject: headers['x-tallygate-subject'],
      threshold: headers['x-tallygate-threshold'],
    }));
}

/** Only what came since the last look at this customer, whatever that look's filter. */
function unseen(session: Session, key: string, all: readonly unknown[], kind: unknown): readonly unknown[] {
  const fresh = all.slice(session.seen.get(key) ?? 0);
  session.seen.set(key, all.length);
  return kind === undefined ? fresh : fresh.filter((item) => (item as Json)['kind'] === kind);
}
