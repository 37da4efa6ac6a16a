import { Injectable } from '@nestjs/common';
import { encodeEvent, TOPICS } from '@tallygate/contracts';
import type { CollectionFacts, DunningEvent } from '@tallygate/contracts';
import { formatAmount, formatInstant, Ids } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { CollectedInvoice, Decline } from '../domain';
import type { Attempt } from './ports';
import type { Session } from './session';

type Said = {
  [E in DunningEvent as E['type']]: { readonly type: E['type']; readonly data: E['data'] };
}[DunningEvent['type']];

/** What an operator must see. */
export type Alert =
  | 'second_capture_refunded'
  | 'refund_failed'
  | 'webhook_refused'
  | 'warning_undeliverable'
  | 'provider_unreachable'
  | 'outcome_unresolved'
  | 'retry_forbidden';

/** Says what happened, in the transaction in which it does. The key is the payer: one order for all that concerns it. */
@Injectable()
export class DunningFacts {
  constructor(
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  succeeded(session: Session, attempt: Attempt): Promise<void> {
    const capturedAt = formatInstant(attempt.outcome.capturedAt ?? session.now);
    return this.say(session, attempt.payerId, {
      type: 'payment.succeeded',
      data: { ...whichPayment(attempt), capturedAt },
    });
  }

  failed(
    session: Session,
    attempt: Attempt,
    { declineClass, declineCode }: Decline,
    nextAttemptAt: Instant | null,
    firstOfRun: boolean,
  ): Promise<void> {
    const next = nextAttemptAt === null ? null : formatInstant(nextAttemptAt);
    const data = { ...whichPayment(attempt), declineClass, declineCode, nextAttemptAt: next, firstOfRun };
    return this.say(session, attempt.payerId, { type: 'payment.failed', data });
  }

  actionRequired(session: Session, attempt: Attempt, expiresAt: Instant): Promise<void> {
    const { invoiceId, payerId: customerId, id: attemptId } = attempt;
    const data = { invoiceId, customerId, attemptId, expiresAt: formatInstant(expiresAt) };
    return this.say(session, customerId, { type: 'payment.action_required', data });
  }

  methodMissing(session: Session, { invoice }: CollectedInvoice): Promise<void> {
    const { id: invoiceId, payerId: customerId, currency } = invoice;
    const data = { invoiceId, customerId, amount: formatAmount(invoice.due), currency };
    return this.say(session, customerId, { type: 'payment.method_missing', data });
  }

  disputed(
    session: Session,
    attempt: Attempt,
    event: 'dispute_opened' | 'dispute_won' | 'dispute_lost',
  ): Promise<void> {
    const state = event === 'dispute_opened' ? 'open' : event === 'dispute_won' ? 'won' : 'lost';
    return this.say(session, attempt.payerId, {
      type: 'payment.disputed',
      data: { ...whichPayment(attempt), state },
    });
  }

  collection(session: Session, facts: CollectionFacts): Promise<void> {
    return this.say(session, facts.customerId, { type: 'collection.changed', data: facts });
  }

  suspensionScheduled(
    session: Session,
    payerId: string,
    suspendAt: Instant,
    anchor: Instant,
    due: Nano,
    currency: string,
  ): Promise<void> {
    const data = {
      customerId: payerId,
      suspendAt: formatInstant(suspendAt),
      amountDue: formatAmount(due),
      currency,
      anchor: formatInstant(anchor),
    };
    return this.say(session, payerId, { type: 'suspension.scheduled', data });
  }

  finished(session: Session, payerId: string, finalAction: string, anchor: Instant): Promise<void> {
    const data = { customerId: payerId, finalAction, anchor: formatInstant(anchor) };
    return this.say(session, payerId, { type: 'dunning.finished', data });
  }

  alert(session: Session, key: string, kind: Alert, detail: string): Promise<void> {
    return this.say(session, key, { type: 'alert.raised', data: { kind, detail } });
  }

  private async say({ tx, tenantId, now }: Session, key: string, said: Said): Promise<void> {
    const event = { id: this.ids.next(), tenantId, occurredAt: formatInstant(now), ...said };
    await this.outbox.add(tx, [{ tenantId, topic: TOPICS.dunningEvents, key, ...encodeEvent(event) }]);
  }
}

function whichPayment({ id: attemptId, invoiceId, payerId: customerId, amount, currency }: Attempt) {
  return { invoiceId, customerId, attemptId, amount: formatAmount(amount), currency };
}
