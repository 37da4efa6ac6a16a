import { formatInstant } from '@tallygate/kernel';
import type { z } from 'zod';
import type { VERBS, Verb } from './format';
import { finishRequest, sendRequests } from './request';
import { chargeBack, refundPayment } from './reversals';
import { type Answer, type Session, given } from './session';

type Args<V extends Verb> = z.output<(typeof VERBS)[V]>;
type Perform<V extends Verb> = (session: Session, args: Args<V>) => Promise<Answer>;

const customerPath = (customer: string, rest = ''): string =>
  `/v1/customers/${encodeURIComponent(customer)}${rest}`;
const done: Answer = { status: 200, code: null, body: null, headers: {} };

/** How each supported verb is performed over the public interfaces; a verb of the format that is missing here is not supported yet. */
export const PERFORM: { readonly [V in Verb]?: Perform<V> } = {
  usage: sendUsage,
  correct: (session, args) =>
    session.change(
      'ingestion',
      'POST',
      '/v1/corrections',
      given({
        ...args,
        source: args.source ?? 'scenario',
        reverse: args.reverse === true ? true : undefined,
      }),
    ),
  grant: (session, args) =>
    session.change(
      'ledger',
      'POST',
      customerPath(args.customer, '/grants'),
      {
        ...given({ ...args, customer: undefined }),
        ...given({
          effective_at: session.moment(args.effective_at),
          expires_at: session.moment(args.expires_at),
        }),
        ...(args.recurrence && {
          recurrence: given({ ...args.recurrence, anchor: session.moment(args.recurrence.anchor) }),
        }),
      },
      args.key,
    ),
  void_grant: (session, args) =>
    session.change('ledger', 'POST', `/v1/grants/${encodeURIComponent(args.key)}/void`, {}),
  debit: (session, args) =>
    session.change(
      'ledger',
      'POST',
      customerPath(args.customer, '/debits'),
      given({ ...args, customer: undefined }),
      args.key,
    ),
  hold: (session, args) =>
    session.change(
      'ledger',
      'POST',
      customerPath(args.customer, '/holds'),
      given({ ...args, customer: undefined }),
      args.key,
    ),
  capture: (session, args) =>
    session.change(
      'ledger',
      'POST',
      `/v1/holds/${encodeURIComponent(args.key)}/capture`,
      given({ amount: args.amount }),
    ),
  release: (session, args) =>
    session.change('ledger', 'POST', `/v1/holds/${encodeURIComponent(args.key)}/release`, {}),
  top_up: topUp,
  reset: (session, args) =>
    session.change(
      'ledger',
      'POST',
      customerPath(args.customer, `/features/${encodeURIComponent(args.feature)}/reset`),
      given({ at: session.moment(args.at), keep_overage: args.keep_overage, keep_anchor: args.keep_anchor }),
    ),
  budget: (session, args) => {
    const { customer, feature, remove, ...limits } = args;
    const path = customerPath(customer, `/budgets/${encodeURIComponent(feature)}`);
    if (remove) return session.change('billing', 'DELETE', path);
    return session.change('billing', 'PUT', path, given(limits));
  },
  price: (session, args) => session.change('billing', 'POST', '/v1/prices', given(args)),
  customer: (session, args) => putCustomer(session, args),
  subscribe: (session, args) =>
    session.change(
      'billing',
      'POST',
      customerPath(args.customer, '/subscription'),
      given({ ...args, customer: undefined, starts_at: session.moment(args.starts_at) }),
    ),
  change_plan: (session, args) =>
    session.change(
      'billing',
      'POST',
      customerPath(args.customer, '/subscription/change'),
      given({ ...args, customer: undefined }),
    ),
  cancel: (session, args) => subscriptionStep(session, 'cancel', args),
  pause: (session, args) => subscriptionStep(session, 'pause', args),
  resume: (session, args) => subscriptionStep(session, 'resume', args),
  approve: (session, args) => subscriptionStep(session, 'approve', args),
  reject: (session, args) => subscriptionStep(session, 'reject', args),
  payment_method: (session, args) => {
    const { customer, remove, ...method } = args;
    const path = customerPath(customer, '/payment-method');
    return remove
      ? session.change('billing', 'DELETE', path)
      : session.change('billing', 'PUT', path, given(method));
  },
  provider: (session, args) => session.sandbox('POST', '/control/script', given(args)),
  provider_event: (session, args) => session.sandbox('POST', '/control/events', given(args)),
  authenticate: (session, args) => session.sandbox('POST', '/control/authenticate', args),
  chargeback: chargeBack,
  refund: refundPayment,
  forgive: (session, args) => invoiceStep(session, 'forgive', args),
  external_payment: (session, args) => invoiceStep(session, 'external-payment', args),
  write_off: (session, args) => invoiceStep(session, 'write-off', args),
  pay: (session, args) => invoiceStep(session, 'pay', args),
  override: (session, args) => {
    const { customer, remove, ...flag } = args;
    const path = customerPath(customer, '/override');
    if (remove) return session.change('billing', 'DELETE', path);
    return session.change('billing', 'PUT', path, given({ ...flag, until: session.moment(flag.until) }));
  },
  review: (session, args) =>
    session.change('billing', 'PUT', customerPath(args.customer, '/review'), { state: args.state }),
  request: (session, args) => sendRequests(session, args, 'request'),
  preflight: (session, args) => sendRequests(session, args, 'preflight'),
  finish: (session, args) => finishRequest(session, args.open),
  service: async (session, args) => {
    for (const action of ['stop', 'start', 'cut', 'join'] as const) {
      const name = args[action];
      if (name !== undefined) await session.stack.service(action, name);
    }
    return done;
  },
  smtp: async (session, state) => {
    await session.stack.smtp(state);
    return done;
  },
  catalog: (session, args) => session.change('billing', 'PUT', '/v1/catalog', args),
};

async function sendUsage(session: Session, args: Args<'usage'>): Promise<Answer> {
  const count = args.count ?? 1;
  const events = Array.from({ length: count }, (_, index) =>
    usageEvent(session, args, count === 1 ? null : index + 1),
  );
  if (args.via === 'kafka') {
    for (const event of events) await session.stack.publishUsage(session.tenantId, event);
    return done;
  }
  let answer: Answer = done;
  for (let from = 0; from < events.length; from += 500) {
    answer = await postEvents(session, events.slice(from, from + 500));
    if (answer.status >= 300) return answer;
  }
  return answer;
}

function postEvents(session: Session, events: readonly Record<string, unknown>[]): Promise<Answer> {
  const single = events.length === 1;
  const type = single ? 'application/cloudevents+json' : 'application/cloudevents-batch+json';
  const call = {
    method: 'POST' as const,
    body: single ? events[0] : events,
    headers: { 'content-type': type },
  };
  return session.call('ingestion', '/v1/events', call);
}

function usageEvent(session: Session, args: Args<'usage'>, index: number | null): Record<string, unknown> {
  const base = args.id ?? `auto-${session.nextNumber()}`;
  const id = index === null ? base : `${base}-${index}`;
  const source = args.source ?? 'scenario';
  const identity = JSON.stringify([source, id]);
  const time = session.moment(args.time) ?? session.usageTimes.get(identity) ?? formatInstant(session.now);
  if (!session.usageTimes.has(identity)) session.usageTimes.set(identity, time);
  const subject = args.subject ?? args.customer;
  return given({ specversion: '1.0', id, source, type: args.type, subject, time, data: args.data ?? {} });
}

/** Remembers the purchase's invoice, so that a later step may name it by the top-up's key. */
async function topUp(session: Session, args: Args<'top_up'>): Promise<Answer> {
  const { customer, auto, ...order } = args;
  const path = customerPath(customer, auto ? `/auto-top-up/${encodeURIComponent(args.unit)}` : '/top-ups');
  if (auto) return session.change('billing', 'PUT', path, auto);
  const answer = await session.change('billing', 'POST', path, given(order), args.key);
  const invoice = answer.body?.['invoice'] as { id?: string } | undefined;
  if (args.key !== undefined && invoice?.id !== undefined) session.topUpInvoices.set(args.key, invoice.id);
  return answer;
}

async function putCustomer(session: Session, args: Args<'customer'>): Promise<Answer> {
  const known = await session.call('billing', customerPath(args.key));
  if (known.status === 404) return session.createCustomer(args);
  const { key, ...changes } = args;
  return session.change('billing', 'PATCH', customerPath(key), session.customerBody({ key, ...changes }));
}

function subscriptionStep(
  session: Session,
  step: string,
  args: { customer: string; [field: string]: unknown },
): Promise<Answer> {
  const body = given({ ...args, customer: undefined });
  return session.change('billing', 'POST', customerPath(args.customer, `/subscription/${step}`), body);
}

function invoiceStep(
  session: Session,
  step: string,
  args: { customer: string; invoice?: string | number; [field: string]: unknown },
): Promise<Answer> {
  const body = given({ ...args, customer: undefined, invoice: undefined });
  return session.change(
    'billing',
    'POST',
    customerPath(args.customer, `/invoices/${args.invoice ?? 'oldest'}/${step}`),
    body,
  );
}
