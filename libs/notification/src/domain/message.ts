import type { NoticeKind } from '@tallygate/contracts';
import { parseInstant, toLocal } from '@tallygate/kernel';

/** A mail's content; the link that fixes it comes first. */
export interface Message {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MessageContext {
  readonly provider: string;
  /** Whose clock instants in the text are shown by. */
  readonly timezone: string;
  readonly subject: string;
  readonly threshold: string | null;
  readonly details: Readonly<Record<string, string>>;
  /** Where the customer puts it right; null when the provider has no portal. */
  readonly actionUrl: string | null;
  /** Where an optional kind can be switched off; null for the others. */
  readonly unsubscribeUrl: string | null;
}

interface Template {
  readonly subject: string;
  readonly body: string;
  readonly action: string;
}

/** `{name}` is replaced by the context's value of that name. No template names a card's number or why a bank refused it. */
const TEMPLATES: Readonly<Record<NoticeKind, Template>> = {
  usage_threshold: {
    subject: 'You have used {reached} of {subject}',
    body: 'You have used {used} of {included} units of {subject} in this period.',
    action: 'See your usage',
  },
  balance_low: {
    subject: 'Your {subject} balance is low',
    body: 'Your balance is {available} {subject}. When it is used up, requests are refused until you top up.',
    action: 'Top up',
  },
  credit_run_out_forecast: {
    subject: 'Your {subject} credit will run out soon',
    body: 'At the present use your credit will be used up on {run_out_at}.',
    action: 'Top up',
  },
  grant_expiring: {
    subject: 'Credit expires in {threshold}',
    body: '{remaining} {unit} of credit ({subject}) expires at {expires_at}.',
    action: 'See your credit',
  },
  trial_ending: {
    subject: 'Your trial ends in {threshold}',
    body: 'The trial of {subject} ends at {trial_end}.',
    action: 'Add a payment method',
  },
  renewal_upcoming: {
    subject: 'Your plan renews in {threshold}',
    body: '{subject} renews at {period_end} for {amount} {currency}.',
    action: 'See your plan',
  },
  payment_failed: {
    subject: 'Your payment did not go through',
    body: 'We could not collect {amount} {currency} for invoice {subject}. Please check your payment method.',
    action: 'Update your payment method',
  },
  payment_action_required: {
    subject: 'Your bank asks you to confirm a payment',
    body: 'Invoice {subject} waits for your confirmation until {expires_at}.',
    action: 'Confirm the payment',
  },
  payment_succeeded: {
    subject: 'Payment received',
    body: 'Thank you: {amount} {currency} for invoice {subject} was paid.',
    action: 'See the invoice',
  },
  payment_method_missing: {
    subject: 'A payment method is needed',
    body: 'Invoice {subject} over {amount} {currency} is due and there is no payment method.',
    action: 'Add a payment method',
  },
  card_expiring: {
    subject: 'Your card expires in {threshold}',
    body: 'The card we charge ({brand}) is valid until the end of {expires}.',
    action: 'Update your card',
  },
  suspension_scheduled: {
    subject: 'Your access will be suspended',
    body: 'An invoice is unpaid. Without payment your access will be suspended at {suspend_at}.',
    action: 'Pay now',
  },
  suspended: {
    subject: 'Your access is suspended',
    body: 'An invoice is unpaid, so requests are refused. Access returns the moment it is paid.',
    action: 'Pay now',
  },
  restored: {
    subject: 'Your access is restored',
    body: 'Thank you for your payment: requests pass again.',
    action: 'See your account',
  },
  top_up_failed: {
    subject: 'Your top-up did not go through',
    body: 'We could not collect {amount} {unit} for your top-up.',
    action: 'Try again',
  },
  top_up_succeeded: {
    subject: 'Your top-up has arrived',
    body: '{amount} {unit} of credit was added.',
    action: 'See your balance',
  },
  approval_requested: {
    subject: 'Your access waits for approval',
    body: 'Your request for {subject} is being looked at.',
    action: 'See your account',
  },
  approval_decided: {
    subject: 'Your access was decided on',
    body: 'Your request for {subject} was {decision}.',
    action: 'See your account',
  },
  dunning_finished: {
    subject: 'Your unpaid invoice',
    body: 'We have stopped trying to collect your unpaid invoice. It can still be paid.',
    action: 'Pay now',
  },
};

export function renderMessage(kind: NoticeKind, context: MessageContext): Message {
  const { details, threshold, subject, timezone, actionUrl, provider, unsubscribeUrl } = context;
  const { subject: title, body, action } = TEMPLATES[kind];
  const values = new Map(Object.entries({ ...details, subject, threshold: lead(threshold ?? '') }));
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (_, name: string) => shown(values.get(name) ?? '', timezone));
  const links: readonly Line[] = actionUrl === null ? [] : [{ text: action, url: actionUrl }];
  const off: readonly Line[] = unsubscribeUrl === null ? [] : [{ text: UNSUBSCRIBE, url: unsubscribeUrl }];
  const lines = [...links, { text: fill(body) }, { text: provider }, ...off];
  return {
    subject: fill(title),
    text: lines.map(({ text, url }) => (url === undefined ? text : `${text}: ${url}`)).join('\n\n') + '\n',
    html: `<!doctype html><html><body>${lines.map(paragraph).join('')}</body></html>`,
  };
}

interface Line {
  readonly text: string;
  readonly url?: string;
}

const UNSUBSCRIBE = 'Choose which messages you get';

function paragraph({ text, url }: Line): string {
  return url === undefined ? `<p>${escape(text)}</p>` : `<p><a href="${escape(url)}">${escape(text)}</a></p>`;
}

/** "7d" as people say it. */
function lead(threshold: string): string {
  const days = /^(\d+)d$/.exec(threshold)?.[1];
  return days === undefined ? threshold : days === '1' ? '1 day' : `${days} days`;
}

/** An instant by the customer's clock, to the minute; anything else as it is. */
function shown(value: string, timezone: string): string {
  const at = /^\d{4}-\d\d-\d\dT/.test(value) ? parseInstant(value) : null;
  if (!at?.ok) return value;
  const { year, month, day, hour, minute } = toLocal(at.value, timezone);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)} (${timezone})`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
