import { Injectable } from '@nestjs/common';
import { addMicros, MICROS } from '@tallygate/kernel';
import { isOpen, nextReconcile, tryNow } from '../domain';
import type { Outcome } from '../domain';
import { DunningFacts } from './dunning-facts';
import { Outcomes } from './outcomes.service';
import { AttemptStore, InvoiceStore, PayerStore, PaymentProvider } from './ports';
import type { Attempt } from './ports';
import { Sessions } from './session';
import type { Session } from './session';

const ASK_AGAIN = 5 * MICROS.minute;

/** Asks the provider about attempts that nobody told us the end of. */
@Injectable()
export class Reconciling {
  constructor(
    private readonly sessions: Sessions,
    private readonly payers: PayerStore,
    private readonly invoices: InvoiceStore,
    private readonly attempts: AttemptStore,
    private readonly provider: PaymentProvider,
    private readonly outcomes: Outcomes,
    private readonly facts: DunningFacts,
  ) {}

  async reconcile(tenantId: string, attemptId: string): Promise<void> {
    const attempt = await this.sessions.run(tenantId, (session) => this.due(session, attemptId));
    if (attempt === null) return;
    const runsOut = attempt.outcome.state === 'action_required';
    const outcome = runsOut ? await this.provider.cancel(attempt) : await this.provider.find(attempt);
    await this.sessions.run(tenantId, (session) => this.settle(session, attempt, outcome));
  }

  private async due(session: Session, attemptId: string): Promise<Attempt | null> {
    const attempt = await this.attempts.find(session, attemptId);
    return attempt !== null && attempt.checkAt !== null && attempt.checkAt <= session.now ? attempt : null;
  }

  private async settle(
    session: Session,
    { id, payerId, outcome: before }: Attempt,
    outcome: Outcome,
  ): Promise<void> {
    await this.payers.lock(session, payerId);
    const attempt = await this.outcomes.take(session, id, outcome);
    if (attempt === null) return;
    // Stored and never sent: the process died in between. Nobody was out of reach, so it is simply tried again.
    if (before.state === 'created' && attempt.outcome.state === 'not_sent')
      await this.tryAgain(session, attempt);
    if (isOpen(attempt.outcome.state)) await this.lookAgain(session, attempt);
  }

  private async tryAgain(session: Session, { invoiceId }: Attempt): Promise<void> {
    const collected = await this.invoices.find(session, invoiceId);
    if (collected === null) return;
    const campaign = { ...tryNow(collected, session.now), outageSince: null, outageTries: 0 };
    await this.invoices.saveCampaign(session, invoiceId, campaign);
  }

  private async lookAgain(session: Session, attempt: Attempt): Promise<void> {
    if (attempt.checkAt !== null && attempt.checkAt > session.now) return;
    const waits = attempt.outcome.state === 'action_required' || attempt.outcome.state === 'created';
    const checkAt = waits ? addMicros(session.now, ASK_AGAIN) : nextReconcile(attempt.createdAt, session.now);
    await this.attempts.save(session, { ...attempt, checkAt });
    if (checkAt !== null) return;
    const detail = `Attempt ${attempt.id} for invoice ${attempt.invoiceId} has had no outcome for 7 days; decide it by hand.`;
    await this.facts.alert(session, attempt.payerId, 'outcome_unresolved', detail);
  }
}
