import type { NoticeKind } from '@tallygate/contracts';

/** The portal's page that puts right what a notice is about. The paths are those that refusals link to. */
const PAGES: Readonly<Record<NoticeKind, string>> = {
  usage_threshold: 'usage',
  balance_low: 'top-up',
  credit_run_out_forecast: 'top-up',
  grant_expiring: 'usage',
  trial_ending: 'payment-method',
  renewal_upcoming: 'plans',
  payment_failed: 'payment-method',
  payment_action_required: 'invoices',
  payment_succeeded: 'invoices',
  payment_method_missing: 'payment-method',
  card_expiring: 'payment-method',
  suspension_scheduled: 'invoices',
  suspended: 'invoices',
  restored: 'invoices',
  top_up_failed: 'top-up',
  top_up_succeeded: 'usage',
  approval_requested: 'plans',
  approval_decided: 'plans',
  dunning_finished: 'invoices',
};

export function actionUrl(kind: NoticeKind, portal: string, customerKey: string): string {
  return pageUrl(portal, PAGES[kind], customerKey);
}

/** Where a customer chooses what it wants to hear of. */
export function notificationsUrl(portal: string, customerKey: string): string {
  return pageUrl(portal, 'notifications', customerKey);
}

function pageUrl(portal: string, page: string, customerKey: string): string {
  return `${portal.replace(/\/+$/, '')}/${page}?customer=${encodeURIComponent(customerKey)}`;
}
