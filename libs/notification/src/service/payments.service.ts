import { Injectable } from '@nestjs/common';
import type {
  CollectionFacts,
  CustomerFacts,
  DunningEvent,
  InvoiceFacts,
  NoticeKind,
} from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { type Notice, STANDING, isRestored, suspensionReminders } from '../domain';
import { Notifying } from './notifying.service';
import { InvoiceIndex, type WatchKey, WatchStore } from './ports';
import type { Session } from './session';

type Data<T extends DunningEvent['type']> = Extract<DunningEvent, { type: T }>['data'];

/** Facts about money that is owed: payments, the warning, suspension, restoration. */
@Injectable()
export class PaymentNotices {
  constructor(
    private readonly notifying: Notifying,
    private readonly invoices: InvoiceIndex,
    private readonly watches: WatchStore,
    private readonly directory: Directory,
  ) {}

  /** The invoice's number is known from here on: what waited for it is said. */
  async invoice(session: Session, invoice: InvoiceFacts, cause: string): Promise<void> {
    await this.invoices.remember(session, invoice);
    for (const notice of await this.invoices.takeWaiting(session, invoice.id))
      await this.aboutInvoice(session, invoice.id, notice);
    if (cause !== 'paid' || invoice.kind !== 'subscription' || invoice.total === '0') return;
    const details = { amount: invoice.total, currency: invoice.currency };
    await this.notifying.notify(
      session,
      noticeOf('payment_succeeded', invoice.payerId, String(invoice.number), invoice.id, details),
    );
  }

  async failed(session: Session, data: Data<'payment.failed'>): Promise<void> {
    if (!data.firstOfRun) return;
    const { customerId, invoiceId, attemptId, amount, currency } = data;
    await this.aboutInvoice(
      session,
      invoiceId,
      noticeOf('payment_failed', customerId, '', attemptId, { amount, currency }),
    );
  }

  async actionRequired(session: Session, data: Data<'payment.action_required'>): Promise<void> {
    const details = { expires_at: data.expiresAt };
    await this.aboutInvoice(
      session,
      data.invoiceId,
      noticeOf('payment_action_required', data.customerId, '', data.attemptId, details),
    );
  }

  async methodMissing(session: Session, data: Data<'payment.method_missing'>): Promise<void> {
    const { customerId, invoiceId, amount, currency } = data;
    await this.aboutInvoice(
      session,
      invoiceId,
      noticeOf('payment_method_missing', customerId, '', invoiceId, { amount, currency }),
    );
  }

  /** @param eventId of the announcement: a debt that was settled and is owed again is announced again */
  async suspensionScheduled(
    session: Session,
    data: Data<'suspension.scheduled'>,
    eventId: string,
  ): Promise<void> {
    const details = { suspend_at: data.suspendAt, amount: data.amountDue, currency: data.currency };
    await this.notifying.notify(
      session,
      noticeOf('suspension_scheduled', data.customerId, data.anchor, eventId, details),
    );
  }

  async collection(session: Session, facts: CollectionFacts): Promise<void> {
    const { customerId, version, anchor, state } = facts;
    const taken = await this.watches.take(session, standingOf(customerId), version, facts);
    if (!taken) return;
    const before = (taken.before as CollectionFacts | null)?.state ?? 'current';
    const stage = String(version);
    if (state === 'suspended' && before !== 'suspended')
      await this.notifying.notify(session, noticeOf('suspended', customerId, anchor ?? 'access', stage, {}));
    if (isRestored(before, state))
      await this.notifying.notify(session, noticeOf('restored', customerId, 'access', stage, {}));
    await this.notifying.warningStands(session, customerId, anchor);
    await this.lookAtStanding(session, facts);
  }

  async lookAtStanding(session: Session, facts: CollectionFacts): Promise<void> {
    const { customerId } = facts;
    const customer = await this.directory.customerById(session.tx, session.tenantId, customerId);
    const reminders = suspensionReminders(facts, customer?.timezone ?? 'UTC', session.now);
    await this.notifying.plan(session, [
      { customerId, kind: 'suspension_scheduled', source: STANDING, reminders },
    ]);
  }

  /** The payer can be reached, perhaps for the first time: a warning that nobody took is sent there. */
  async customer(session: Session, { id, email }: CustomerFacts): Promise<void> {
    if (email === null) return;
    const standing = (await this.watches.latest(session, standingOf(id))) as CollectionFacts | null;
    await this.notifying.addressKnown(session, id, email, standing?.anchor ?? null);
  }

  async finished(session: Session, data: Data<'dunning.finished'>): Promise<void> {
    const details = { final_action: data.finalAction };
    await this.notifying.notify(
      session,
      noticeOf('dunning_finished', data.customerId, data.anchor, 'finished', details),
    );
  }

  /** Payment facts name an invoice by id, people by its number; top-ups have notices of their own. */
  private async aboutInvoice(session: Session, invoiceId: string, notice: Notice): Promise<void> {
    const invoice = await this.invoices.find(session, invoiceId);
    if (invoice === null) return this.invoices.wait(session, invoiceId, notice);
    if (invoice.kind === 'subscription')
      await this.notifying.notify(session, { ...notice, subject: String(invoice.number) });
  }
}

function noticeOf(
  kind: NoticeKind,
  customerId: string,
  subject: string,
  stage: string,
  details: Readonly<Record<string, string>>,
): Notice {
  return { kind, customerId, subject, stage, threshold: null, details };
}

function standingOf(customerId: string): WatchKey {
  return { kind: 'standing', customerId, key: '' };
}
