import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { formatAmount, formatInstant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { circuitBreaker, ConsecutiveBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { CREATED } from '../domain';
import type { Outcome } from '../domain';
import { PaymentProvider } from '../service/ports';
import type { Attempt, ChargeRequest, ProviderEvent, Refund, WebhookReading } from '../service/ports';

export interface SandboxProviderOptions {
  readonly url: string;
  /** Shared with the sandbox; the signing secret of every account and mode follows from it. */
  readonly webhookSecret: string;
  /** How long an answer may take before the outcome counts as unknown. Default 10 s. */
  readonly answerWithinMs?: number;
}

const chargeAnswer = z.object({
  charge: z.string(),
  status: z.enum(['succeeded', 'declined', 'requires_action', 'pending']),
  code: z.string().nullable(),
  advice: z.string().nullable(),
  captured_at: z.string().nullable(),
});

export const webhookBody = z.object({
  id: z.string().min(1),
  type: z.enum([
    'charge.succeeded',
    'charge.declined',
    'charge.dispute_opened',
    'charge.dispute_won',
    'charge.dispute_lost',
  ]),
  account: z.uuid(),
  mode: z.enum(['test', 'live']),
  data: z.object({
    charge: z.string(),
    attempt: z.uuid(),
    code: z.string().nullable(),
    advice: z.string().nullable(),
    captured_at: z.string().nullable(),
  }),
});
type WebhookBody = z.infer<typeof webhookBody>;

const STATES = {
  succeeded: 'succeeded',
  declined: 'declined',
  requires_action: 'action_required',
  pending: 'pending',
} as const;
const NOT_SENT: Outcome = { ...CREATED, state: 'not_sent' };
const UNKNOWN: Outcome = { ...CREATED, state: 'unknown' };

/** Only errors that come before a connection stands prove that nothing was taken. */
const NEVER_CONNECTED: readonly string[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
];
const BREAK_AFTER = 20;
const HALF_OPEN_AFTER_MS = 1_000;
const ANSWER_WITHIN_MS = 10_000;

type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly simulatesRefusal: boolean;
      readonly body: unknown;
    }
  | { readonly kind: 'refused' }
  | { readonly kind: 'silent' };

/** The stateful sandbox provider, over HTTP. */
@Injectable()
export class SandboxPaymentProvider extends PaymentProvider {
  readonly name = 'sandbox';
  /** A provider that is down is asked a little at a time, not by every due charge at once. */
  private readonly breaker = circuitBreaker(
    handleWhen((error) => isUnconnected(error)),
    { halfOpenAfter: HALF_OPEN_AFTER_MS, breaker: new ConsecutiveBreaker(BREAK_AFTER) },
  );

  constructor(private readonly options: SandboxProviderOptions) {
    super();
  }

  override async charge({ tenantId, customerKey, attempt, now }: ChargeRequest): Promise<Outcome> {
    const { id, invoiceId, mode, amount, currency, method, purpose } = attempt;
    const answer = await this.call('POST', '/v1/charges', id, {
      amount: formatAmount(amount),
      currency,
      payment_method: method?.providerRef ?? null,
      mode,
      metadata: { tenant: tenantId, customer: customerKey, invoice: invoiceId, attempt: id, purpose },
      now: formatInstant(now),
    });
    return outcomeOf(answer);
  }

  override async find({ id }: Attempt): Promise<Outcome> {
    const answer = await this.call('GET', `/v1/charges/by-key/${id}`);
    return answer.kind === 'answer' && answer.status !== 404
      ? outcomeOf(answer)
      : answer.kind === 'answer'
        ? NOT_SENT
        : UNKNOWN;
  }

  override async cancel({ id }: Attempt): Promise<Outcome> {
    const answer = await this.call('POST', `/v1/charges/by-key/${id}/cancel`, id, {});
    return answer.kind === 'answer' && answer.status === 200 ? outcomeOf(answer) : UNKNOWN;
  }

  override async refund(
    { outcome }: Attempt,
    refund: Refund,
    now: Instant,
  ): Promise<'done' | 'refused' | 'again'> {
    const body = { charge: outcome.chargeRef, amount: formatAmount(refund.amount), now: formatInstant(now) };
    const answer = await this.call('POST', '/v1/refunds', refund.key, body);
    if (answer.kind !== 'answer' || answer.status >= 500) return 'again';
    return answer.status === 200 ? 'done' : 'refused';
  }

  override readWebhook(rawBody: Buffer, headers: Readonly<Record<string, string>>): WebhookReading {
    const body = webhookBody.safeParse(parseJson(rawBody));
    if (!body.success) return { kind: 'unreadable' };
    if (!this.isSigned(rawBody, headers, body.data))
      return { kind: 'forged', claimedTenantId: body.data.account };
    return { kind: 'event', event: eventOf(body.data) };
  }

  private isSigned(
    rawBody: Buffer,
    headers: Readonly<Record<string, string>>,
    { account, mode }: WebhookBody,
  ): boolean {
    const secret = createHmac('sha256', this.options.webhookSecret)
      .update(`sandbox webhooks ${mode} ${account}`)
      .digest('base64');
    try {
      new Webhook(secret).verify(rawBody, { ...headers }, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  }

  private async call(method: string, path: string, key?: string, body?: unknown): Promise<Answer> {
    try {
      return await this.breaker.execute(() => this.request(method, path, key, body));
    } catch (error) {
      return isBrokenCircuitError(error) || isUnconnected(error) ? { kind: 'refused' } : { kind: 'silent' };
    }
  }

  private async request(
    method: string,
    path: string,
    key: string | undefined,
    body: unknown,
  ): Promise<Answer> {
    const answer = await fetch(new URL(path, this.options.url), {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(this.options.answerWithinMs ?? ANSWER_WITHIN_MS),
    });
    const simulatesRefusal = answer.headers.get('sandbox-simulates') === 'connection_refused';
    return {
      kind: 'answer',
      status: answer.status,
      simulatesRefusal,
      body: (await answer.json()) as unknown,
    };
  }
}

/** A 4xx means that nothing was taken; a 5xx leaves it open. */
function outcomeOf(answer: Answer): Outcome {
  if (answer.kind === 'refused') return NOT_SENT;
  if (answer.kind === 'silent') return UNKNOWN;
  if (answer.simulatesRefusal || (answer.status >= 400 && answer.status < 500)) return NOT_SENT;
  const parsed = chargeAnswer.safeParse(answer.body);
  if (!parsed.success || answer.status !== 200) return UNKNOWN;
  const { charge, status, code, advice, captured_at } = parsed.data;
  return {
    state: STATES[status],
    chargeRef: charge,
    declineCode: code,
    adviceCode: advice,
    capturedAt: instantOrNull(captured_at),
  };
}

function eventOf({ id, type, account, mode, data }: WebhookBody): ProviderEvent {
  const event = type.slice('charge.'.length) as
    'succeeded' | 'declined' | 'dispute_opened' | 'dispute_won' | 'dispute_lost';
  const settled = event === 'succeeded' || event === 'declined';
  return {
    tenantId: account,
    mode,
    eventId: id,
    attemptId: data.attempt,
    kind: settled ? 'outcome' : event,
    outcome: {
      state: event === 'declined' ? 'declined' : 'succeeded',
      chargeRef: data.charge,
      declineCode: data.code,
      adviceCode: data.advice,
      capturedAt: instantOrNull(data.captured_at),
    },
  };
}

function isUnconnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const codes = [cause, ...(cause instanceof AggregateError ? (cause.errors as unknown[]) : [])];
  return codes.some(
    (one) => one instanceof Error && 'code' in one && NEVER_CONNECTED.includes(String(one.code)),
  );
}

function instantOrNull(text: string | null): Instant | null {
  const parsed = text === null ? null : parseInstant(text);
  return parsed?.ok === true ? parsed.value : null;
}

function parseJson(rawBody: Buffer): unknown {
  try {
    return JSON.parse(rawBody.toString('utf8')) as unknown;
  } catch {
    return null;
  }
}
