import { Injectable } from '@nestjs/common';
import type { RefundAnswer, RefundRequest } from '@tallygate/contracts';
import { addMicros, formatAmount, invariant, MICROS, parseAmount, sumNano } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';
import { DunningFacts } from './dunning-facts';
import { AttemptStore, InvoiceStore, PayerStore, PaymentProvider, RefundStore } from './ports';
import type { Attempt, Refund } from './ports';
import { Sessions } from './session';
import type { Session } from './session';

const SEND_AGAIN = 5 * MICROS.minute;
const MOST_TRIES = 20;

/** Gives captured money back: promised in one transaction, sent until the provider has taken it. */
@Injectable()
export class Refunding {
  constructor(
    private readonly sessions: Sessions,
    private readonly payers: PayerStore,
    private readonly invoices: InvoiceStore,
    private readonly attempts: AttemptStore,
    private readonly refunds: RefundStore,
    private readonly provider: PaymentProvider,
    private readonly facts: DunningFacts,
  ) {}

  async refund(request: RefundRequest): Promise<RefundAnswer> {
    const promised = await this.sessions.run(request.tenantId, (session) => this.promise(session, request));
    if ('code' in promised) return { outcome: 'refused', code: promised.code };
    await this.send(request.tenantId, promised.key);
    return { outcome: 'refunded', amount: formatAmount(promised.amount) };
  }

  /** Sends a promised refund that is due; a provider that cannot be reached is asked again later. */
  async send(tenantId: string, key: string): Promise<void> {
    const due = await this.sessions.run(tenantId, (session) => this.due(session, key));
    if (due === null) return;
    const result = await this.provider.refund(due.attempt, due.refund, due.now);
    await this.sessions.run(tenantId, (session) => this.settle(session, due.attempt, due.refund, result));
  }

  private async promise(
    session: Session,
    request: RefundRequest,
  ): Promise<Refund | { code: 'nothing_captured' | 'more_than_captured' }> {
    const collected = await this.invoices.find(session, request.invoiceId);
    if (collected === null) return { code: 'nothing_captured' };
    await this.payers.lock(session, collected.invoice.payerId);
    const repeated = await this.refunds.find(session, request.key);
    if (repeated !== null) return repeated;
    const captured = (await this.attempts.capturedOf(session, request.invoiceId)).filter(
      (attempt) => left(attempt) > 0n,
    );
    const own = captured.find((attempt) => attempt.id === collected.campaign.capturedBy) ?? captured[0];
    if (own === undefined) return { code: 'nothing_captured' };
    const amount = request.amount === null ? left(own) : nano(request.amount);
    if (amount > left(own)) return { code: 'more_than_captured' };
    const refund = { key: request.key, attemptId: own.id, amount, tries: 0, dueAt: session.now };
    invariant(
      (await this.refunds.claim(session, refund)) === null,
      'The lock keeps a refund key from being claimed twice',
    );
    await this.attempts.save(session, { ...own, refunded: own.refunded + amount });
    return refund;
  }

  private async due(session: Session, key: string) {
    const refund = await this.refunds.find(session, key);
    if (refund === null || refund.dueAt === null || refund.dueAt > session.now) return null;
    const attempt = await this.attempts.find(session, refund.attemptId);
    return attempt === null ? null : { refund, attempt, now: session.now };
  }

  private async settle(
    session: Session,
    attempt: Attempt,
    refund: Refund,
    result: 'done' | 'refused' | 'again',
  ): Promise<void> {
    const tries = refund.tries + 1;
    const again = result === 'again' && tries < MOST_TRIES;
    await this.refunds.save(session, {
      ...refund,
      tries,
      dueAt: again ? addMicros(session.now, SEND_AGAIN) : null,
    });
    if (result === 'done' || again) return;
    const detail = `The refund of ${formatAmount(refund.amount)} ${attempt.currency} for invoice ${attempt.invoiceId} was not taken.`;
    await this.facts.alert(session, attempt.payerId, 'refund_failed', detail);
  }
}

function left(attempt: Attempt): Nano {
  return sumNano([attempt.amount, -attempt.refunded]);
}

function nano(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `Billing asks for amounts only: ${text}`);
  return parsed.value;
}
