const COLUMNS = `attempt_id, invoice_id, payer_id, mode, purpose, amount, currency, method, state, charge_ref,
  decline_code, advice_code, captured_at, created_at, check_at, refunded`;
const OPEN = `state in ('created', 'unknown', 'pending', 'action_required')`;

export const insertAttempt = {
  name: 'dunning_insert_attempt',
  text: `insert into attempt (tenant_id, attempt_id, invoice_id, payer_id, mode, purpose, amount, currency, method, state,
                              created_at, check_at)
         values ($1, $2, $3, $4, $5, $6, $7::numeric, $8, $9, $10, $11::timestamptz, $12::timestamptz)`,
};

export const saveAttempt = {
  name: 'dunning_save_attempt',
  text: `update attempt
            set state = $3, charge_ref = $4, decline_code = $5, advice_code = $6, captured_at = $7::timestamptz,
                check_at = $8::timestamptz, refunded = $9::numeric
          where tenant_id = $1 and attempt_id = $2`,
};

export const findAttempt = {
  name: 'dunning_find_attempt',
  text: `select ${COLUMNS} from attempt where tenant_id = $1 and attempt_id = $2`,
};

/** At most one row: the partial unique index says so. */
export const openAttempt = {
  name: 'dunning_open_attempt',
  text: `select ${COLUMNS} from attempt where tenant_id = $1 and invoice_id = $2 and ${OPEN}`,
};

export const openAttemptsOfPayer = {
  name: 'dunning_open_attempts_of_payer',
  text: `select ${COLUMNS} from attempt where tenant_id = $1 and payer_id = $2 and ${OPEN}`,
};

export const capturedAttempts = {
  name: 'dunning_captured_attempts',
  text: `select ${COLUMNS} from attempt
          where tenant_id = $1 and invoice_id = $2 and state = 'succeeded' order by captured_at, attempt_id`,
};

export const declinesOfCard = {
  name: 'dunning_declines_of_card',
  text: `select created_at, amount from attempt
          where tenant_id = $1 and payer_id = $2 and state = 'declined' and created_at > $4::timestamptz
            and method ->> 'providerRef' = $3`,
};

export const lastDecline = {
  name: 'dunning_last_decline',
  text: `select ${COLUMNS} from attempt
          where tenant_id = $1 and payer_id = $2 and state = 'declined' and method ->> 'id' = $3
          order by created_at desc, attempt_id desc limit 1`,
};

export const reachedAttempts = {
  name: 'dunning_reached_attempts',
  text: `select ${COLUMNS} from attempt
          where tenant_id = $1 and payer_id = $2 and state not in ('created', 'not_sent')
          order by created_at, attempt_id`,
};
