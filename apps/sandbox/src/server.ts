import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formatInstant, instant, parseInstant, SystemClock } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { z } from 'zod';
import { parseBehaviour } from './behaviour';
import { Journal } from './journal';
import { SandboxProvider } from './provider';
import { ProviderRecord } from './record';
import type { Charge } from './record';
import { WebhookSender } from './webhook-sender';

export interface SandboxOptions {
  readonly host: string;
  readonly port: number;
  /** File of the provider's own record; created when missing. */
  readonly journalPath: string;
  /** Shared with the receiver of the webhooks; every account's signing secret follows from it. */
  readonly webhookSecret: string;
  /** Where webhooks go; null until `PUT /control/target` says. */
  readonly webhookUrl: string | null;
  /** Unique per run of the process. */
  readonly run: string;
}

export interface SandboxServer {
  readonly url: string;
  close(): Promise<void>;
}

const now = z
  .string()
  .transform((text, context): Instant => {
    const parsed = parseInstant(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.error.fix });
    return instant(0);
  })
  .nullish();
const behaviour = z
  .string()
  .refine((text) => parseBehaviour(text) !== null, 'is no behaviour of the sandbox provider');
const outcome = z
  .string()
  .regex(
    /^[1-9]\d*\.(succeeded|declined|dispute_opened|dispute_won|dispute_lost)$/,
    'is no event reference such as 1.succeeded',
  );

const chargeBody = z.object({
  amount: z.string(),
  currency: z.string(),
  payment_method: z.string().nullish(),
  mode: z.enum(['test', 'live']).default('test'),
  metadata: z.object({
    tenant: z.string(),
    customer: z.string(),
    invoice: z.string(),
    attempt: z.string(),
    purpose: z.string().default('charge'),
  }),
  now,
});
const refundBody = z.object({ charge: z.string(), amount: z.string().nullish(), now });
const scriptBody = z.object({
  tenant: z.string(),
  customer: z.string().default('*'),
  next: z.array(behaviour).default([]),
  then: behaviour.nullish(),
});
const eventsBody = z.object({
  tenant: z.string(),
  customer: z.string(),
  hold: z.boolean().nullish(),
  deliver: z.array(outcome).default([]),
  drop: z.array(outcome).default([]),
  duplicate: z.int().min(1).default(1),
  mode: z.enum(['test', 'live']).default('test'),
  secret: z.enum(['right', 'wrong']).default('right'),
  now,
});
const authenticateBody = z.object({
  tenant: z.string(),
  customer: z.string(),
  outcome: z.enum(['done', 'abandoned']),
  now,
});
const disputeBody = z.object({
  tenant: z.string(),
  charge: z.string(),
  state: z.enum(['open', 'won', 'lost']).default('open'),
  amount: z.string().nullish(),
  now,
});
const targetBody = z.object({ url: z.url() });
const clockBody = z.object({ tenantId: z.string(), now });
const customerQuery = z.object({ tenant: z.string(), customer: z.string() });
const tenantQuery = z.object({ tenant: z.string(), customer: z.string().nullish() });

/** Starts the provider: a stateful stand-in for a card processor, with a record that outlives kill -9. */
export async function startSandbox(options: SandboxOptions): Promise<SandboxServer> {
  const { journal, entries } = await Journal.open(options.journalPath);
  const record = new ProviderRecord();
  for (const entry of entries) record.apply(entry);
  const sender = new WebhookSender(record, journal, options.webhookSecret, options.webhookUrl);
  const provider = new SandboxProvider(record, journal, new SystemClock(), options.run, () => sender.wake());
  const app = fastify({ logger: false, bodyLimit: 1_048_576 });
  app.setErrorHandler(problem);
  chargeRoutes(app, provider);
  controlRoutes(app, provider, sender);
  clockRoutes(app, provider, sender);
  const url = await app.listen({ host: options.host, port: options.port });
  sender.wake();
  return {
    url,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
      await sender.stop();
      await journal.close();
    },
  };
}

function chargeRoutes(app: FastifyInstance, provider: SandboxProvider): void {
  app.post('/v1/charges', async (request, reply) => {
    const body = chargeBody.parse(request.body);
    const { metadata, amount, currency, mode } = body;
    const order = {
      ...metadata,
      key: keyOf(request),
      mode,
      amount,
      currency,
      method: body.payment_method ?? null,
    };
    const reaction = await provider.charge(order, body.now ?? null);
    if (reaction.answer === 'given') return chargeJson(reaction.charge);
    if (reaction.answer === 'refused') return refuseConnection(reply);
    return dropConnection(request, reply);
  });
  app.get<{ Params: { key: string } }>('/v1/charges/by-key/:key', async (request, reply) => {
    const charge = provider.chargeByKey(request.params.key);
    return charge === null ? notFound(reply, 'charge') : chargeJson(charge);
  });
  app.post<{ Params: { key: string } }>('/v1/charges/by-key/:key/cancel', async (request, reply) => {
    const charge = await provider.cancel(request.params.key);
    return charge === null ? notFound(reply, 'charge') : chargeJson(charge);
  });
  app.post('/v1/refunds', async (request, reply) => {
    const body = refundBody.parse(request.body);
    const reaction = await provider.refund(
      keyOf(request),
      body.charge,
      body.amount ?? null,
      body.now ?? null,
    );
    if ('refused' in reaction) return reply.code(409).send({ code: reaction.refused });
    return {
      charge: reaction.refund.ref,
      amount: reaction.refund.amount,
      at: formatInstant(reaction.refund.at),
    };
  });
}

function controlRoutes(app: FastifyInstance, provider: SandboxProvider, sender: WebhookSender): void {
  app.post('/control/script', async (request) => {
    const { tenant, customer, next, then } = scriptBody.parse(request.body);
    await provider.script(tenant, customer, { next, then: then ?? null });
    return { status: 'ok' };
  });
  app.post('/control/events', async (request, reply) => {
    const body = eventsBody.parse(request.body);
    await moveClock(provider, body);
    const unknown = await provider.events({ ...body, hold: body.hold ?? null });
    await sender.settle();
    return unknown.length === 0
      ? { status: 'ok' }
      : reply.code(404).send({ code: 'not_found', refs: unknown });
  });
  app.post('/control/authenticate', async (request, reply) => {
    const body = authenticateBody.parse(request.body);
    await moveClock(provider, body);
    const charge = await provider.authenticate(body.tenant, body.customer, body.outcome);
    return charge === null ? notFound(reply, 'open authentication') : chargeJson(charge);
  });
  app.post('/control/dispute', async (request, reply) => {
    const body = disputeBody.parse(request.body);
    await moveClock(provider, body);
    const charge = await provider.dispute(body.charge, body.state, body.amount ?? null);
    return charge === null ? notFound(reply, 'captured charge') : chargeJson(charge);
  });
  app.put('/control/target', async (request) => {
    sender.pointTo(targetBody.parse(request.body).url);
    return { status: 'ok' };
  });
  app.get('/control/captures', async (request) => {
    const { tenant, customer } = customerQuery.parse(request.query);
    return provider.captures(tenant, customer);
  });
  app.get('/control/charges', async (request) => {
    const { tenant, customer } = tenantQuery.parse(request.query);
    return { list: provider.charges(tenant, customer ?? null).map(chargeJson) };
  });
}

/** The provider keeps the tenant's virtual time and rests when every webhook it may send was tried. */
function clockRoutes(app: FastifyInstance, provider: SandboxProvider, sender: WebhookSender): void {
  app.post('/internal/clock/arrive', async (request) => {
    const body = clockBody.parse(request.body);
    if (body.now) await provider.setClock(body.tenantId, body.now);
    return { now: body.now };
  });
  app.post('/internal/clock/settle', async (request) => {
    const body = clockBody.parse(request.body);
    if (body.now) await provider.setClock(body.tenantId, body.now);
    await sender.settle();
    return { activity: sender.sent };
  });
  app.post('/internal/clock/next-due', async () => ({ nextDue: null }));
  for (const path of ['/healthz', '/readyz', '/health']) app.get(path, async () => ({ status: 'ready' }));
}

async function moveClock(
  provider: SandboxProvider,
  body: { tenant: string; now?: Instant | null },
): Promise<void> {
  if (body.now) await provider.setClock(body.tenant, body.now);
}

/** A server cannot refuse a connection it has taken; this answer says that nothing was taken. */
function refuseConnection(reply: FastifyReply): FastifyReply {
  return reply
    .code(503)
    .header('sandbox-simulates', 'connection_refused')
    .send({ code: 'connection_refused' });
}

/** The caller learns nothing: the connection ends without an answer, at once, so that no test waits for a timeout. */
function dropConnection(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}

function keyOf(request: FastifyRequest): string {
  return z.string().min(1).max(255).parse(request.headers['idempotency-key']);
}

function notFound(reply: FastifyReply, what: string): FastifyReply {
  return reply.code(404).send({ code: 'not_found', detail: `There is no such ${what}.` });
}

function problem(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof z.ZodError)
    return reply.code(422).send({ code: 'invalid_request', faults: error.issues });
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  return reply
    .code(status)
    .send({ code: 'error', detail: error instanceof Error ? error.message : 'unknown' });
}

function chargeJson(charge: Charge): Record<string, unknown> {
  const {
    ref,
    status,
    code,
    advice,
    amount,
    currency,
    method,
    invoice,
    customer,
    attempt,
    number,
    purpose,
    dispute,
  } = charge;
  const times = {
    at: formatInstant(charge.at),
    captured_at: charge.capturedAt === null ? null : formatInstant(charge.capturedAt),
  };
  return {
    charge: ref,
    status,
    code,
    advice,
    amount,
    currency,
    method,
    invoice,
    customer,
    attempt,
    number,
    purpose,
    dispute,
    ...times,
  };
}
