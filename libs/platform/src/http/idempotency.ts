import { createHash } from 'node:crypto';
import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { addMicros, MICROS } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../postgres/database';
import { pgInstant } from '../postgres/instant-codec';
import type { WithRawBody } from './body-parser';
import { invalid, problem } from './problem';
import type { Fault } from './problem';

export const IDEMPOTENCY_KEY = 'Idempotency-Key';

/** One day beyond the promised 35, so that a key used at the last moment of its time is still known. */
const KEPT_DAYS = 36;

/** The answer to a request, as it is replayed: the status and the JSON body. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface IdempotentRequest {
  readonly tenantId: string;
  readonly key: string;
  readonly route: string;
  readonly bodyHash: string;
  /** The machine's time at which the key is used; only its age matters. */
  readonly now: Instant;
}

/**
 * Runs a request once per (tenant, key). The key is claimed in the caller's transaction, so a second request with the
 * same key waits for the first to end: then it replays the answer, or runs when the first rolled back. The same key
 * with another body or route is refused.
 */
export async function replayOrRun(
  tx: Tx,
  request: IdempotentRequest,
  run: () => Promise<Answer>,
): Promise<Answer> {
  if (!(await claim(tx, request))) return replay(tx, request);
  const answer = await run();
  await tx.query(
    {
      name: 'idempotency-answer',
      text: 'update idempotency set status = $3, answer = $4 where tenant_id = $1 and key = $2',
    },
    [request.tenantId, request.key, answer.status, JSON.stringify(answer.body ?? null)],
  );
  return answer;
}

/** Deletes keys older than they must be kept; run by a sweep, in bounded steps. */
export async function forgetOldKeys(tx: Tx, systemNow: Instant, most = 1_000): Promise<number> {
  const { rowCount } = await tx.query(
    {
      name: 'idempotency-forget',
      text: `delete from idempotency
              where (tenant_id, key) in
                    (select tenant_id, key from idempotency where created_at < $1 order by created_at limit $2)`,
    },
    [pgInstant(addMicros(systemNow, -KEPT_DAYS * MICROS.day)), most],
  );
  return rowCount ?? 0;
}

async function claim(tx: Tx, { tenantId, key, route, bodyHash, now }: IdempotentRequest): Promise<boolean> {
  const { rowCount } = await tx.query(
    {
      name: 'idempotency-claim',
      text: `insert into idempotency (tenant_id, key, route, body_hash, created_at)
             values ($1, $2, $3, $4, $5) on conflict do nothing`,
    },
    [tenantId, key, route, bodyHash, pgInstant(now)],
  );
  return rowCount === 1;
}

interface Claimed {
  readonly route: string;
  readonly body_hash: string;
  readonly status: number | null;
  readonly answer: unknown;
}

async function replay(tx: Tx, { tenantId, key, route, bodyHash }: IdempotentRequest): Promise<Answer> {
  const { rows } = await tx.query<Claimed & Record<string, unknown>>(
    {
      name: 'idempotency-replay',
      text: 'select route, body_hash, status, answer from idempotency where tenant_id = $1 and key = $2',
    },
    [tenantId, key],
  );
  const [first] = rows;
  if (first === undefined || first.status === null) {
    throw new Error(`Idempotency key ${key} was claimed without an answer`);
  }
  if (first.route !== route || first.body_hash !== bodyHash) throw reusedKey(first.route);
  return { status: first.status, body: first.answer };
}

export function reusedKey(route: string) {
  return problem(422, 'idempotency_key_reused', 'This idempotency key was used for another request', {
    detail: `The key was first used for ${route}. Use a new key for a new request, or send the same body again.`,
  });
}

/** The same bytes are the same body; formatting counts, as it does for every signature. */
export function bodyHash(request: Pick<FastifyRequest, 'body'> & WithRawBody): string {
  return createHash('sha256')
    .update(request.rawBody ?? JSON.stringify(request.body ?? null))
    .digest('hex');
}

export function idempotencyKeyOf(request: Pick<FastifyRequest, 'headers'>): string {
  const key = request.headers['idempotency-key'];
  if (typeof key === 'string' && key.length >= 1 && key.length <= 255) return key;
  throw invalid([idempotencyFault(key)]);
}

export function idempotencyFault(key: unknown): Fault {
  return {
    field: IDEMPOTENCY_KEY,
    value: typeof key === 'string' ? `${key.length} characters` : null,
    problem: key === undefined ? 'is missing' : 'must have 1 to 255 characters',
    fix: 'send a header Idempotency-Key that is unique for this request',
  };
}

const KEYED = new WeakSet<object>();

/** Marks a parameter's factory that refuses a request without an Idempotency-Key, for the OpenAPI document. */
export function takesIdempotencyKey<F extends object>(factory: F): F {
  KEYED.add(factory);
  return factory;
}

export const needsIdempotencyKey = (factory: object): boolean => KEYED.has(factory);

/** The request's Idempotency-Key; without one the answer is 422. */
export const IdempotencyKey = createParamDecorator(
  takesIdempotencyKey((_: unknown, host: ExecutionContext) =>
    idempotencyKeyOf(host.switchToHttp().getRequest<FastifyRequest>()),
  ),
);

/** The hash of the request's body, for `replayOrRun`. */
export const BodyHash = createParamDecorator((_: unknown, host: ExecutionContext) =>
  bodyHash(host.switchToHttp().getRequest<FastifyRequest & WithRawBody>()),
);
