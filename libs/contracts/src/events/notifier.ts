import type { EventEnvelope } from './envelope';

export const NOTICE_KINDS = [
  'usage_threshold',
  'balance_low',
  'credit_run_out_forecast',
  'grant_expiring',
  'trial_ending',
  'renewal_upcoming',
  'payment_failed',
  'payment_action_required',
  'payment_succeeded',
  'payment_method_missing',
  'card_expiring',
  'suspension_scheduled',
  'suspended',
  'restored',
  'top_up_failed',
  'top_up_succeeded',
  'approval_requested',
  'approval_decided',
  'dunning_finished',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

export type NotifierEvent =
  /** One channel took the notice. For suspension_scheduled, `subject` is the anchor the warning was about. */
  | EventEnvelope<
      'notice.delivered',
      {
        noticeId: string;
        customerId: string;
        kind: NoticeKind;
        subject: string;
        threshold: string | null;
        channel: 'email' | 'webhook';
        deliveredAt: string;
      }
    >
  /** No channel can ever take it (no address, no webhook): dunning keeps the state and alerts. */
  | EventEnvelope<
      'notice.undeliverable',
      { noticeId: string; customerId: string; kind: NoticeKind; subject: string }
    >
  | EventEnvelope<'alert.raised', { kind: string; detail: string }>;
export type NotifierEventType = NotifierEvent['type'];
