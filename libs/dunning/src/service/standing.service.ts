import { Injectable } from '@nestjs/common';
import type { CollectionFacts } from '@tallygate/contracts';
import { formatInstant, sumNano } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { collectionState, isDunned, suspensionOf } from '../domain';
import type { CollectedInvoice, Collection, Policy, UnpaidInvoice, Warning } from '../domain';
import { DunningFacts } from './dunning-facts';
import { AttemptStore, InvoiceStore, PayerDirectory, PayerStore } from './ports';
import type { Attempt, Payer } from './ports';
import type { Session } from './session';

/** Where payers stand: recomputed from their invoices whenever one changes and whenever a deadline passes. */
@Injectable()
export class Standing {
  constructor(
    private readonly payers: PayerStore,
    private readonly invoices: InvoiceStore,
    private readonly attempts: AttemptStore,
    private readonly directory: PayerDirectory,
    private readonly facts: DunningFacts,
  ) {}

  /** Brings the payer's state to this instant, and says what changed. The caller holds the payer's lock. */
  async reassess(session: Session, payerId: string): Promise<void> {
    const payer = await this.payers.lock(session, payerId);
    const invoices = await this.invoices.unsettled(session, payerId);
    const collection = await this.assess(session, payer, invoices);
    if (await this.stillEnded(session, payer, invoices, collection)) return;
    const warnings = await this.warn(session, payer, invoices, collection);
    if (collection.finished) await this.finish(session, payer.id, invoices, collection);
    const facts = nextFacts(payer.facts, collection);
    if (facts !== payer.facts) await this.facts.collection(session, facts);
    await this.payers.save(session, { ...payer, facts, warnings, dueAt: collection.changesAt });
  }

  /** A channel took the warning about that anchor: from here on its notice runs. */
  async warningDelivered(
    session: Session,
    payerId: string,
    anchor: Instant,
    deliveredAt: Instant,
  ): Promise<void> {
    const payer = await this.payers.lock(session, payerId);
    const known = payer.warnings.find((warning) => warning.anchor === anchor);
    if (known === undefined || known.deliveredAt !== null) return;
    const warnings = replace(payer.warnings, { anchor, deliveredAt, undeliverable: false });
    await this.payers.save(session, { ...payer, warnings });
    await this.reassess(session, payerId);
  }

  async warningUndeliverable(session: Session, payerId: string, anchor: Instant): Promise<void> {
    const payer = await this.payers.lock(session, payerId);
    const known = payer.warnings.find((warning) => warning.anchor === anchor);
    if (known === undefined || known.deliveredAt !== null || known.undeliverable) return;
    await this.payers.save(session, {
      ...payer,
      warnings: replace(payer.warnings, { ...known, undeliverable: true }),
    });
    const detail = `No channel can take the suspension warning of customer ${payerId}; it stays in grace.`;
    await this.facts.alert(session, payerId, 'warning_undeliverable', detail);
  }

  private async assess(
    session: Session,
    payer: Payer,
    invoices: readonly CollectedInvoice[],
  ): Promise<Collection> {
    const policyOf = await this.directory.policies(session);
    const open = await this.attempts.openOfPayer(session, payer.id);
    const unpaid = invoices
      .filter(isDunned)
      .map((invoice) => toUnpaid(invoice, policyOf(invoice.invoice.policyKey), open));
    const disputed = await this.invoices.anyDisputed(session, payer.id);
    return collectionState(unpaid, payer.warnings, disputed, session.now);
  }

  /** After the final action the state stays until the old debt is settled or a new invoice begins anew. */
  private async stillEnded(
    session: Session,
    payer: Payer,
    invoices: readonly CollectedInvoice[],
    collection: Collection,
  ): Promise<boolean> {
    if (payer.facts.state !== 'ended' || collection.state !== 'current') return false;
    const finished = invoices.filter((one) => isDunned(one) && one.campaign.finished);
    const youngest = finished.at(-1)?.invoice.anchor;
    return youngest !== undefined && !(await this.invoices.hasYounger(session, payer.id, youngest));
  }

  /** Asks for the warning about this anchor once; warnings about settled anchors are forgotten. */
  private async warn(
    session: Session,
    payer: Payer,
    invoices: readonly CollectedInvoice[],
    { anchor, policy, warningDue, invoiceIds }: Collection,
  ): Promise<readonly Warning[]> {
    const anchors = new Set(invoices.map((one) => one.invoice.anchor));
    const kept = payer.warnings.filter((warning) => anchors.has(warning.anchor));
    if (
      !warningDue ||
      anchor === null ||
      policy === null ||
      kept.some((warning) => warning.anchor === anchor)
    )
      return kept;
    const owed = invoices.map((one) => one.invoice).filter((invoice) => invoiceIds.includes(invoice.id));
    const currency = owed.find((invoice) => invoice.anchor === anchor)?.currency ?? '';
    const due = sumNano(
      owed.filter((invoice) => invoice.currency === currency).map((invoice) => invoice.due),
    );
    const suspendAt = suspensionOf(policy, anchor, session.now);
    await this.facts.suspensionScheduled(session, payer.id, suspendAt, anchor, due, currency);
    return [...kept, { anchor, deliveredAt: null, undeliverable: false }];
  }

  private async finish(
    session: Session,
    payerId: string,
    invoices: readonly CollectedInvoice[],
    { anchor, policy, invoiceIds }: Collection,
  ): Promise<void> {
    const counted = invoices.filter((one) => invoiceIds.includes(one.invoice.id));
    const before = counted.some((one) => one.campaign.finished);
    for (const { invoice, campaign } of counted) {
      if (!campaign.finished)
        await this.invoices.saveCampaign(session, invoice.id, { ...campaign, finished: true, tryAt: null });
    }
    if (!before && anchor !== null && policy !== null)
      await this.facts.finished(session, payerId, policy.finalAction, anchor);
  }
}

function toUnpaid(
  { invoice, campaign }: CollectedInvoice,
  policy: Policy,
  open: readonly Attempt[],
): UnpaidInvoice {
  const attempt = open.find((one) => one.invoiceId === invoice.id);
  const waits = attempt?.outcome.state === 'unknown' || attempt?.outcome.state === 'pending';
  return {
    id: invoice.id,
    anchor: invoice.anchor,
    due: invoice.due,
    currency: invoice.currency,
    policy,
    failedAt: campaign.failedAt,
    heldSince: campaign.outageSince ?? (waits ? attempt.createdAt : null),
    actionOpen: attempt?.outcome.state === 'action_required',
    finished: campaign.finished,
  };
}

function replace(warnings: readonly Warning[], changed: Warning): readonly Warning[] {
  return warnings.map((warning) => (warning.anchor === changed.anchor ? changed : warning));
}

/** The same object when nothing changed: then nothing is said. */
function nextFacts(
  known: CollectionFacts,
  { state, anchor, suspendAt, policy, invoiceIds }: Collection,
): CollectionFacts {
  const ended = state === 'ended';
  const next: CollectionFacts = {
    customerId: known.customerId,
    state,
    anchor: anchor === null ? null : formatInstant(anchor),
    suspendAt: suspendAt === null ? null : formatInstant(suspendAt),
    finalAction: ended ? (policy?.finalAction ?? null) : null,
    downgradeTo: ended ? (policy?.downgradeTo ?? null) : null,
    unpaidInvoiceIds: invoiceIds,
    version: known.version,
  };
  return JSON.stringify(next) === JSON.stringify(known) ? known : { ...next, version: known.version + 1 };
}
