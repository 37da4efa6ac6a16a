import { Injectable } from '@nestjs/common';
import { addMicros, Ids, invariant, MICROS } from '@tallygate/kernel';
import {
  afterCap,
  afterMissingMethod,
  CAP_HORIZON,
  capReached,
  CREATED,
  forbidsMethod,
  isPayable,
  readDecline,
} from '../domain';
import type { CollectedInvoice } from '../domain';
import { DunningFacts } from './dunning-facts';
import { Outcomes } from './outcomes.service';
import { AttemptStore, InvoiceStore, PayerDirectory, PayerStore, PaymentProvider } from './ports';
import type { Attempt, Method, PayerProfile, Purpose } from './ports';
import type { Session } from './session';
import { Sessions } from './session';
import { Standing } from './standing.service';

export type Refusal = 'nothing_owed' | 'payment_open' | 'payment_method_missing' | 'retry_forbidden';

/** What a transaction decided about one charge; sending happens after it has committed. */
export type Prepared =
  | { readonly kind: 'send'; readonly attempt: Attempt; readonly profile: PayerProfile }
  /** A 3-D Secure step is open: it ends first. */
  | { readonly kind: 'cancel'; readonly attempt: Attempt }
  | { readonly kind: 'refused'; readonly code: Refusal };

/** An attempt that never got an answer, not even from ourselves, is looked after then: its process died. */
const CREATED_CHECK = MICROS.minute;
const MOST_PER_RUN = 1000;

/** Makes charges: stores the attempt and its key, calls the provider, takes in what it says. */
@Injectable()
export class Charging {
  constructor(
    private readonly sessions: Sessions,
    private readonly payers: PayerStore,
    private readonly invoices: InvoiceStore,
    private readonly attempts: AttemptStore,
    private readonly directory: PayerDirectory,
    private readonly provider: PaymentProvider,
    private readonly outcomes: Outcomes,
    private readonly standing: Standing,
    private readonly facts: DunningFacts,
    private readonly ids: Ids,
  ) {}

  /** Tries every invoice of the payer whose try is due, oldest first, one after the other. */
  async chargeDue(tenantId: string, payerId: string): Promise<void> {
    for (let run = 0; run < MOST_PER_RUN; run += 1) {
      const prepared = await this.sessions.run(tenantId, (session) => this.prepareNext(session, payerId));
      if (prepared === null) return;
      await this.carryOut(tenantId, prepared);
    }
  }

  /** @returns the attempt with its outcome; null when nothing was sent */
  async carryOut(tenantId: string, prepared: Prepared): Promise<Attempt | null> {
    if (prepared.kind === 'refused') return null;
    const { attempt } = prepared;
    if (prepared.kind === 'cancel') {
      const ended = await this.provider.cancel(attempt);
      await this.sessions.run(tenantId, async (session) => {
        await this.payers.lock(session, attempt.payerId);
        await this.outcomes.supersede(session, attempt.id, ended);
      });
      return null;
    }
    const request = { tenantId, customerKey: prepared.profile.key, attempt, now: attempt.createdAt };
    const outcome = await this.provider.charge(request);
    return this.sessions.run(tenantId, (session) => this.outcomes.take(session, attempt.id, outcome));
  }

  /** Decides one charge that somebody asked for. The caller holds the payer's lock. */
  async prepare(
    session: Session,
    collected: CollectedInvoice,
    method: Method | null,
    purpose: Purpose,
  ): Promise<Prepared> {
    if (!isPayable(collected)) return { kind: 'refused', code: 'nothing_owed' };
    const open = await this.attempts.openOf(session, collected.invoice.id);
    if (open?.outcome.state === 'action_required') return { kind: 'cancel', attempt: open };
    if (open !== null) return { kind: 'refused', code: 'payment_open' };
    if (method === null && purpose === 'charge') return { kind: 'refused', code: 'payment_method_missing' };
    if (method !== null && (await this.isForbidden(session, collected, method)))
      return { kind: 'refused', code: 'retry_forbidden' };
    return this.create(session, collected, method, purpose);
  }

  private async prepareNext(session: Session, payerId: string): Promise<Prepared | null> {
    await this.payers.lock(session, payerId);
    const collected = await this.invoices.nextDue(session, payerId);
    if (collected === null) return null;
    const prepared = await this.prepare(
      session,
      collected,
      await this.payers.method(session, payerId),
      'charge',
    );
    if (prepared.kind === 'refused') await this.useUpStep(session, collected, prepared.code);
    return prepared;
  }

  private async create(
    session: Session,
    collected: CollectedInvoice,
    method: Method | null,
    purpose: Purpose,
  ): Promise<Prepared> {
    const { invoice, campaign } = collected;
    const profile = await this.directory.profile(session, invoice.payerId);
    invariant(profile, `The facts of customer ${invoice.payerId} precede its invoices`);
    const attempt: Attempt = {
      id: this.ids.next(),
      invoiceId: invoice.id,
      payerId: invoice.payerId,
      mode: profile.mode,
      purpose,
      amount: invoice.due,
      currency: invoice.currency,
      method,
      outcome: CREATED,
      createdAt: session.now,
      checkAt: addMicros(session.now, CREATED_CHECK),
      refunded: 0n,
    };
    await this.attempts.insert(session, attempt);
    await this.invoices.saveCampaign(session, invoice.id, { ...campaign, tryAt: null });
    return { kind: 'send', attempt, profile };
  }

  /** A step that led to no attempt is over. An invoice without a usable method ages as if its first try had failed. */
  private async useUpStep(session: Session, collected: CollectedInvoice, code: Refusal): Promise<void> {
    const { invoice, campaign } = collected;
    if (code === 'retry_forbidden') await this.skipStep(session, collected);
    else if (code === 'payment_method_missing') await this.reportMissingMethod(session, collected);
    else await this.invoices.saveCampaign(session, invoice.id, { ...campaign, tryAt: null });
    await this.standing.reassess(session, invoice.payerId);
  }

  private async skipStep(session: Session, collected: CollectedInvoice): Promise<void> {
    const { invoice, campaign } = collected;
    const policy = (await this.directory.policies(session))(invoice.policyKey);
    const profile = await this.directory.profile(session, invoice.payerId);
    const method = await this.payers.method(session, invoice.payerId);
    const holder = { funding: method?.funding ?? 'credit', zone: profile?.zone ?? 'UTC' };
    const skipped = afterCap(collected, policy, holder, session.now);
    await this.invoices.saveCampaign(session, invoice.id, {
      ...skipped,
      failedAt: campaign.failedAt ?? session.now,
    });
  }

  private async reportMissingMethod(session: Session, collected: CollectedInvoice): Promise<void> {
    const { invoice, campaign } = collected;
    await this.invoices.saveCampaign(session, invoice.id, afterMissingMethod(campaign, session.now));
    if (!campaign.methodMissingReported) await this.facts.methodMissing(session, collected);
  }

  /** A method that was refused for good, and a network's cap per card and amount, forbid a try whoever asks. */
  private async isForbidden(
    session: Session,
    { invoice }: CollectedInvoice,
    method: Method,
  ): Promise<boolean> {
    const last = await this.attempts.lastDeclineOf(session, invoice.payerId, method.id);
    if (last !== null && forbidsMethod(readDecline(last.declineCode ?? '', last.adviceCode))) return true;
    const since = addMicros(session.now, -CAP_HORIZON);
    const declines = await this.attempts.declinesOf(session, invoice.payerId, method.providerRef, since);
    return capReached(method.brand, invoice.due, declines, session.now);
  }
}
