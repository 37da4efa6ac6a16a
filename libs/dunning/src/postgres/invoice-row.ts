import { invariant, formatAmount, parseAmount } from '@tallygate/kernel';
import type { Nano } from '@tallygate/kernel';
import { instantFromPg, instantOrNullFromPg } from '@tallygate/platform';
import type { Campaign, CollectedInvoice, Invoice } from '../domain';

export interface InvoiceRow {
  readonly invoice_id: string;
  readonly number: bigint | null;
  readonly customer_id: string;
  readonly payer_id: string;
  readonly kind: Invoice['kind'];
  readonly currency: string;
  readonly total: string;
  readonly due: string;
  readonly anchor: string;
  readonly status: Invoice['status'];
  readonly policy_key: string | null;
  readonly interval: Invoice['interval'];
  readonly version: bigint;
  readonly failed_at: string | null;
  readonly declines: number;
  readonly refusals: number;
  readonly last_class: Campaign['lastClass'];
  readonly try_at: string | null;
  readonly outage_since: string | null;
  readonly outage_tries: number;
  readonly method_missing_reported: boolean;
  readonly by_link_only: boolean;
  readonly finished: boolean;
  readonly captured_by: string | null;
  readonly disputed: boolean;
}

export const INVOICE_COLUMNS = `invoice_id, number, customer_id, payer_id, kind, currency, total, due, anchor, status,
  policy_key, "interval", version, failed_at, declines, refusals, last_class, try_at, outage_since, outage_tries,
  method_missing_reported, by_link_only, finished, captured_by, disputed`;

export function invoiceOf(row: InvoiceRow): CollectedInvoice {
  return { invoice: describedOf(row), campaign: campaignOf(row) };
}

/** numeric comes as text with all its decimals, which the kernel reads exactly. */
export function nanoFromPg(text: string): Nano {
  const parsed = parseAmount(text);
  invariant(parsed.ok, `An amount of the database that is none: ${text}`);
  return parsed.value;
}

export function pgNano(amount: Nano): string {
  return formatAmount(amount);
}

function describedOf(row: InvoiceRow): Invoice {
  return {
    id: row.invoice_id,
    number: row.number === null ? null : Number(row.number),
    customerId: row.customer_id,
    payerId: row.payer_id,
    kind: row.kind,
    currency: row.currency,
    total: nanoFromPg(row.total),
    due: nanoFromPg(row.due),
    anchor: instantFromPg(row.anchor),
    status: row.status,
    policyKey: row.policy_key,
    interval: row.interval,
    version: Number(row.version),
  };
}

function campaignOf(row: InvoiceRow): Campaign {
  return {
    failedAt: instantOrNullFromPg(row.failed_at),
    declines: row.declines,
    refusals: row.refusals,
    lastClass: row.last_class,
    tryAt: instantOrNullFromPg(row.try_at),
    outageSince: instantOrNullFromPg(row.outage_since),
    outageTries: row.outage_tries,
    methodMissingReported: row.method_missing_reported,
    byLinkOnly: row.by_link_only,
    finished: row.finished,
    capturedBy: row.captured_by,
    disputed: row.disputed,
  };
}
