import { Injectable } from '@nestjs/common';
import type { PayAnswer, PayRequest } from '@tallygate/contracts';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import { readDecline } from '../domain';
import { BillingIntake } from './billing-intake.service';
import { Charging } from './charging.service';
import type { Prepared } from './charging.service';
import { InvoiceStore, PayerDirectory, PayerStore } from './ports';
import type { Attempt, Method } from './ports';
import { Sessions } from './session';

/** Charges one invoice now because somebody asks for it, and waits for what comes of it. */
@Injectable()
export class Paying {
  constructor(
    private readonly sessions: Sessions,
    private readonly payers: PayerStore,
    private readonly invoices: InvoiceStore,
    private readonly directory: PayerDirectory,
    private readonly intake: BillingIntake,
    private readonly charging: Charging,
  ) {}

  async pay(request: PayRequest): Promise<PayAnswer> {
    await this.directory.awaitProfile(request.tenantId, request.invoice.payerId);
    const prepared = await this.prepare(request);
    if (prepared.kind === 'cancel') {
      await this.charging.carryOut(request.tenantId, prepared);
      return this.finish(request, await this.prepare(request));
    }
    return this.finish(request, prepared);
  }

  private async finish({ tenantId }: PayRequest, prepared: Prepared): Promise<PayAnswer> {
    if (prepared.kind === 'cancel') return { outcome: 'refused', code: 'payment_open' };
    if (prepared.kind === 'refused') return { outcome: 'refused', code: prepared.code };
    const attempt = await this.charging.carryOut(tenantId, prepared);
    return answerOf(attempt ?? prepared.attempt);
  }

  private prepare({ tenantId, invoice, method, through }: PayRequest): Promise<Prepared> {
    return this.sessions.run(tenantId, async (session) => {
      await this.payers.lock(session, invoice.payerId);
      const stored = method === null ? null : await this.intake.adoptMethod(session, invoice.payerId, method);
      await this.intake.invoice(session, invoice, 'opened');
      const collected = await this.invoices.find(session, invoice.id);
      if (collected === null) return { kind: 'refused', code: 'nothing_owed' };
      const charged: Method | null = through === 'hosted' ? null : stored;
      return this.charging.prepare(session, collected, charged, through === 'hosted' ? 'checkout' : 'charge');
    });
  }
}

function answerOf({ id: attemptId, outcome, amount }: Attempt): PayAnswer {
  switch (outcome.state) {
    case 'succeeded':
      return {
        outcome: 'succeeded',
        attemptId,
        amount: formatAmount(amount),
        capturedAt: outcome.capturedAt === null ? '' : formatInstant(outcome.capturedAt),
      };
    case 'declined': {
      const { declineClass, declineCode } = readDecline(
        outcome.declineCode ?? 'generic_decline',
        outcome.adviceCode,
      );
      return { outcome: 'declined', attemptId, declineClass, declineCode };
    }
    case 'created':
      return { outcome: 'unknown', attemptId };
    default:
      return { outcome: outcome.state, attemptId };
  }
}
