import { INVOICE_COLUMNS } from '../invoice-row';

/** An older or equal version changes nothing: no row comes back. */
export const applyInvoice = {
  name: 'dunning_apply_invoice',
  text: `insert into invoice as i (tenant_id, invoice_id, number, customer_id, payer_id, kind, currency, total, due, anchor,
                                  status, policy_key, "interval", version)
         values ($1, $2, $3, $4, $5, $6, $7, $8::numeric, $9::numeric, $10::timestamptz, $11, $12, $13, $14)
         on conflict (tenant_id, invoice_id) do update
           set number = excluded.number, customer_id = excluded.customer_id, payer_id = excluded.payer_id,
               total = excluded.total, due = excluded.due, anchor = excluded.anchor, status = excluded.status,
               policy_key = excluded.policy_key, "interval" = excluded."interval", version = excluded.version
         where i.version < excluded.version
         returning invoice_id`,
};

export const saveCampaign = {
  name: 'dunning_save_campaign',
  text: `update invoice
            set failed_at = $3::timestamptz, declines = $4, last_class = $5, try_at = $6::timestamptz,
                outage_since = $7::timestamptz, outage_tries = $8, method_missing_reported = $9, by_link_only = $10,
                finished = $11, captured_by = $12, disputed = $13, refusals = $14
          where tenant_id = $1 and invoice_id = $2`,
};

export const findInvoice = {
  name: 'dunning_find_invoice',
  text: `select ${INVOICE_COLUMNS} from invoice where tenant_id = $1 and invoice_id = $2`,
};

export const unsettledInvoices = {
  name: 'dunning_unsettled_invoices',
  text: `select ${INVOICE_COLUMNS} from invoice
          where tenant_id = $1 and payer_id = $2 and status in ('open', 'draft') and due > 0 and captured_by is null
          order by anchor, number, invoice_id`,
};

/** No row: nothing of this payer is due. */
export const nextDueInvoice = {
  name: 'dunning_next_due_invoice',
  text: `select ${INVOICE_COLUMNS} from invoice
          where tenant_id = $1 and payer_id = $2 and try_at <= $3::timestamptz
          order by anchor, number, invoice_id limit 1`,
};

export const youngerInvoice = {
  name: 'dunning_younger_invoice',
  text: `select 1 from invoice where tenant_id = $1 and payer_id = $2 and anchor > $3::timestamptz and kind = 'subscription' limit 1`,
};

export const disputedInvoice = {
  name: 'dunning_disputed_invoice',
  text: `select 1 from invoice where tenant_id = $1 and payer_id = $2 and disputed and kind = 'subscription' limit 1`,
};
