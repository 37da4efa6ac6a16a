import type { ResolvingAction } from '@tallygate/contracts';
import type { Decision } from './decision';

export interface Links {
  readonly portal: string | null;
  readonly usage: string | null;
  readonly docs: string | null;
}

/** Where in the portal each action is done; an action that the customer cannot do there has no page. */
const PAGES: Readonly<Record<ResolvingAction, string | null>> = {
  renew_credentials: 'keys',
  contact_provider: null,
  resume: 'subscription',
  wait: null,
  subscribe: 'plans',
  activate: 'invoices',
  add_payment_method: 'payment-method',
  pay_invoice: 'invoices',
  authenticate_payment: 'invoices',
  upgrade: 'plans',
  raise_limit: 'limits',
  top_up: 'top-up',
  retry: null,
};

/** The page that lifts the denial; null when no portal is set up or the action has no page. */
export function actionUrl(decision: Decision): string | null {
  const portal = decision.tenant?.terms?.settings.portalUrl ?? null;
  const page = decision.action === null ? null : PAGES[decision.action];
  if (portal === null || page === null) return null;
  const customer = decision.customer?.key;
  const query = customer === undefined ? '' : `?customer=${encodeURIComponent(customer)}`;
  return `${trimmed(portal)}/${page}${query}`;
}

export function linksOf(decision: Decision): Links {
  const settings = decision.tenant?.terms?.settings;
  const portal = settings?.portalUrl == null ? null : trimmed(settings.portalUrl);
  return {
    portal,
    usage: portal === null ? null : `${portal}/usage`,
    docs: settings?.docsUrl == null ? null : `${trimmed(settings.docsUrl)}/reasons/${decision.reason}`,
  };
}

/** The reason's page, or a name for it that is stable where no documentation address is set up. */
export function typeOf(decision: Decision): string {
  return linksOf(decision).docs ?? `https://tallygate.dev/reasons/${decision.reason}`;
}

function trimmed(base: string): string {
  return base.endsWith('/') ? base.slice(0, -1) : base;
}
