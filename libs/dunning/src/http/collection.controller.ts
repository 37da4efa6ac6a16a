import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { formatAmount, formatInstant, isUuid } from '@tallygate/kernel';
import { Directory } from '@tallygate/directory';
import { Api, CurrentPrincipal, Operation, RequireScope } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { readDecline } from '../domain';
import { Collecting } from '../service/collecting.service';
import type { Attempt } from '../service/ports';
import { COLLECTION, DUNNING_TAG, REFUSALS } from './operations';

/** What was tried to collect from a customer, and where it stands with us. */
@Api(DUNNING_TAG)
@Controller('v1')
export class CollectionController {
  constructor(
    private readonly collecting: Collecting,
    private readonly directory: Directory,
  ) {}

  @Get('customers/:customer/attempts')
  @Operation(COLLECTION.attempts)
  @RequireScope('read')
  async attempts(@CurrentPrincipal() { tenantId }: Principal, @Param('customer') key: string) {
    const list = await this.collecting.attemptsOf(tenantId, await this.idOf(tenantId, key));
    return { customer: key, list: list.map(attemptJson) };
  }

  @Get('customers/:customer/collection')
  @Operation(COLLECTION.collection)
  @RequireScope('read')
  async collection(@CurrentPrincipal() { tenantId }: Principal, @Param('customer') key: string) {
    const payer = await this.collecting.payer(tenantId, await this.idOf(tenantId, key));
    return {
      customer: key,
      state: payer?.facts.state ?? 'current',
      anchor: payer?.facts.anchor ?? null,
      suspend_at: payer?.facts.suspendAt ?? null,
      final_action: payer?.facts.finalAction ?? null,
      unpaid_invoices: payer?.facts.unpaidInvoiceIds ?? [],
    };
  }

  /** Sets an invoice going again that the outage schedule gave up on. */
  @Post('invoices/:invoice/collection/restart')
  @Operation(COLLECTION.restart)
  @HttpCode(200)
  @RequireScope('write')
  async restart(@CurrentPrincipal() { tenantId }: Principal, @Param('invoice') invoiceId: string) {
    const answer = isUuid(invoiceId) ? await this.collecting.restart(tenantId, invoiceId) : 'unknown_invoice';
    if (answer === 'unknown_invoice') throw REFUSALS.invoice_unknown();
    if (answer === 'nothing_to_restart') throw REFUSALS.nothing_to_restart();
    return { invoice: invoiceId, status: 'restarted' as const };
  }

  private async idOf(tenantId: string, key: string): Promise<string> {
    const customer = await this.directory.resolveCustomer(tenantId, key);
    if (customer === null) throw REFUSALS.customer_unknown(key);
    return customer.id;
  }
}

function attemptJson(attempt: Attempt) {
  const { state, declineCode, adviceCode } = attempt.outcome;
  const declined = state === 'declined' ? readDecline(declineCode ?? '', adviceCode) : null;
  return {
    id: attempt.id,
    at: formatInstant(attempt.createdAt),
    amount: formatAmount(attempt.amount),
    currency: attempt.currency,
    invoice: attempt.invoiceId,
    outcome: state,
    decline_class: declined?.declineClass ?? null,
    decline_code: declined?.declineCode ?? null,
    advice_code: declined === null ? null : adviceCode,
    method: attempt.method?.label ?? null,
    refunded: formatAmount(attempt.refunded),
  };
}
