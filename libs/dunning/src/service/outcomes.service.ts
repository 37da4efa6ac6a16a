import { Injectable } from '@nestjs/common';
import { addMicros } from '@tallygate/kernel';
import {
  ACTION_TIMEOUT,
  afterCapture,
  afterDecline,
  afterNotSent,
  afterOpen,
  isDunned,
  isOpen,
  isPayable,
  learn,
  nextReconcile,
  readDecline,
  tryNow,
} from '../domain';
import type { Campaign, CollectedInvoice, Outcome } from '../domain';
import { DunningFacts } from './dunning-facts';
import { AttemptStore, InvoiceStore, PayerDirectory, PayerStore, RefundStore } from './ports';
import type { Attempt } from './ports';
import type { Session } from './session';
import { Standing } from './standing.service';

/**
 * The one way in for everything learnt of an attempt: the API's answer, a webhook, the reconciler, the clock. The
 * attempt moves by `learn`; what follows from a move follows once, in the same transaction.
 */
@Injectable()
export class Outcomes {
  constructor(
    private readonly payers: PayerStore,
    private readonly invoices: InvoiceStore,
    private readonly attempts: AttemptStore,
    private readonly refunds: RefundStore,
    private readonly directory: PayerDirectory,
    private readonly standing: Standing,
    private readonly facts: DunningFacts,
  ) {}

  /** @returns the attempt as it stands afterwards; null when there is none of that id */
  async take(session: Session, attemptId: string, signal: Outcome): Promise<Attempt | null> {
    const unlocked = await this.attempts.find(session, attemptId);
    if (unlocked === null) return null;
    await this.payers.lock(session, unlocked.payerId);
    const known = (await this.attempts.find(session, attemptId)) ?? unlocked;
    const outcome = learn(known.outcome, signal);
    // What certainly reached nobody cannot start to wait for an outcome; only a settled one can contradict it.
    if (known.outcome.state === 'not_sent' && isOpen(outcome.state)) return known;
    const attempt = { ...known, outcome, checkAt: checkOf(known, outcome, session) };
    await this.attempts.save(session, attempt);
    if (outcome.state !== known.outcome.state) await this.follow(session, attempt);
    return attempt;
  }

  /** Ends an attempt that another one replaces: no failure of the customer's, so nothing is said. */
  async supersede(session: Session, attemptId: string, signal: Outcome): Promise<void> {
    if (signal.state !== 'declined') {
      await this.take(session, attemptId, signal);
      return;
    }
    const attempt = await this.attempts.find(session, attemptId);
    if (attempt === null || attempt.outcome.state !== 'action_required') return;
    await this.attempts.save(session, { ...attempt, outcome: learn(attempt.outcome, signal), checkAt: null });
    await this.change(session, attempt.invoiceId, (collected) => tryNow(collected, session.now));
    await this.standing.reassess(session, attempt.payerId);
  }

  private async follow(session: Session, attempt: Attempt): Promise<void> {
    const collected = await this.invoices.find(session, attempt.invoiceId);
    if (collected === null) return;
    switch (attempt.outcome.state) {
      case 'succeeded':
        await this.captured(session, attempt, collected);
        break;
      case 'declined':
        await this.declined(session, attempt, collected);
        break;
      case 'not_sent':
        await this.notSent(session, collected);
        break;
      default:
        await this.waits(session, attempt, collected);
    }
    await this.standing.reassess(session, attempt.payerId);
  }

  /** The first capture pays the invoice; whatever is captured beyond what is owed goes back by itself. */
  private async captured(session: Session, attempt: Attempt, collected: CollectedInvoice): Promise<void> {
    if (!isPayable(collected)) return this.giveBack(session, attempt, attempt.amount);
    await this.invoices.saveCampaign(
      session,
      attempt.invoiceId,
      afterCapture(collected.campaign, attempt.id),
    );
    await this.facts.succeeded(session, attempt);
    const excess = attempt.amount - collected.invoice.due;
    if (excess > 0n) await this.giveBack(session, attempt, excess);
  }

  private async giveBack(session: Session, attempt: Attempt, amount: bigint): Promise<void> {
    const refund = { key: `auto:${attempt.id}`, attemptId: attempt.id, amount, tries: 0, dueAt: session.now };
    if ((await this.refunds.claim(session, refund)) !== null) return;
    await this.attempts.save(session, { ...attempt, refunded: attempt.refunded + amount });
    const detail = `Attempt ${attempt.id} captured money for invoice ${attempt.invoiceId}, which did not owe it; it is refunded.`;
    await this.facts.alert(session, attempt.payerId, 'second_capture_refunded', detail);
  }

  private async declined(session: Session, attempt: Attempt, collected: CollectedInvoice): Promise<void> {
    if (!isPayable(collected)) return;
    const decline = readDecline(attempt.outcome.declineCode ?? 'generic_decline', attempt.outcome.adviceCode);
    const policy = (await this.directory.policies(session))(collected.invoice.policyKey);
    const profile = await this.directory.profile(session, attempt.payerId);
    const method = await this.payers.method(session, attempt.payerId);
    const methodChanged = attempt.method !== null && method !== null && method.id !== attempt.method.id;
    const holder = { funding: attempt.method?.funding ?? 'credit', zone: profile?.zone ?? 'UTC' };
    const campaign = afterDecline(
      collected,
      { decline, triedAt: attempt.createdAt, methodChanged },
      policy,
      holder,
      session.now,
    );
    await this.invoices.saveCampaign(session, attempt.invoiceId, campaign);
    const first = isDunned(collected) && collected.campaign.declines === 0;
    await this.facts.failed(session, attempt, decline, campaign.tryAt, first);
  }

  private async notSent(session: Session, collected: CollectedInvoice): Promise<void> {
    const campaign = afterNotSent(collected, session.now);
    await this.invoices.saveCampaign(session, collected.invoice.id, campaign);
    if (campaign.outageSince === null || campaign.tryAt !== null) return;
    const detail = `The provider cannot be reached for invoice ${collected.invoice.id}; it is tried no more until it is restarted.`;
    await this.facts.alert(session, collected.invoice.payerId, 'provider_unreachable', detail);
  }

  private async waits(session: Session, attempt: Attempt, { campaign }: CollectedInvoice): Promise<void> {
    await this.invoices.saveCampaign(session, attempt.invoiceId, afterOpen(campaign));
    if (attempt.outcome.state !== 'action_required') return;
    await this.facts.actionRequired(
      session,
      attempt,
      attempt.checkAt ?? addMicros(attempt.createdAt, ACTION_TIMEOUT),
    );
  }

  private async change(
    session: Session,
    invoiceId: string,
    change: (collected: CollectedInvoice) => Campaign,
  ): Promise<void> {
    const collected = await this.invoices.find(session, invoiceId);
    if (collected !== null) await this.invoices.saveCampaign(session, invoiceId, change(collected));
  }
}

/** When an attempt in this state is looked after; null when it is settled or was given up. */
function checkOf(attempt: Attempt, outcome: Outcome, { now }: Session): Attempt['checkAt'] {
  if (outcome.state === attempt.outcome.state) return attempt.checkAt;
  if (outcome.state === 'action_required') return addMicros(now, ACTION_TIMEOUT);
  return isOpen(outcome.state) ? nextReconcile(attempt.createdAt, now) : null;
}
