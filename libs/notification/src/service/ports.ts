import type { Instant, Nano } from '@tallygate/kernel';
import type { Message, Notice, Reminder } from '../domain';
import type { Session } from './session';

export type Channel = 'email';

export interface StoredNotice extends Notice {
  readonly id: string;
  readonly at: Instant;
}

export abstract class NoticeStore {
  /** Claims the notice's identity; null when it was said before. */
  abstract claim(session: Session, notice: Notice): Promise<StoredNotice | null>;
  abstract find(session: Session, id: string): Promise<StoredNotice | null>;
}

/** How far a customer's usage or balance was announced; a version that is not newer changes nothing. */
export abstract class WatchStore {
  /** True when this version of the subject's facts was not seen before. */
  abstract isNews(
    session: Session,
    customerId: string,
    subject: WatchSubject,
    version: number,
  ): Promise<boolean>;
  abstract announcedUsage(
    session: Session,
    customerId: string,
    feature: string,
    rule: string,
  ): Promise<Nano | null>;
  abstract setAnnouncedUsage(
    session: Session,
    customerId: string,
    feature: string,
    rule: string,
    threshold: Nano,
  ): Promise<void>;
  abstract firedBalances(session: Session, customerId: string, unit: string): Promise<readonly string[]>;
  abstract setFiredBalances(
    session: Session,
    customerId: string,
    unit: string,
    fired: readonly string[],
  ): Promise<void>;
  /** Keeps a subject's latest state and answers the one before; null when there was none. */
  abstract exchangeState(
    session: Session,
    customerId: string,
    subject: WatchSubject,
    state: string | null,
  ): Promise<string | null>;
}

export interface WatchSubject {
  readonly kind: 'usage' | 'balance' | 'lot' | 'collection' | 'method';
  readonly key: string;
}

export abstract class ReminderStore {
  /** Forgets the reminders about this subject that were not said yet, and keeps these instead. */
  abstract replace(
    session: Session,
    about: Pick<Reminder, 'customerId' | 'kind' | 'subject'>,
    reminders: readonly Reminder[],
  ): Promise<void>;
  /** Takes one that is due; null when it was forgotten or said meanwhile. */
  abstract take(session: Session, id: string): Promise<Reminder | null>;
}

/** A payment fact that names an invoice we have not heard of yet. */
export abstract class InvoiceIndex {
  abstract remember(
    session: Session,
    invoice: { id: string; number: number; kind: 'subscription' | 'top_up' },
  ): Promise<void>;
  abstract find(
    session: Session,
    invoiceId: string,
  ): Promise<{ number: number; kind: 'subscription' | 'top_up' } | null>;
  /** Keeps what is to be said until the invoice is known. */
  abstract wait(session: Session, invoiceId: string, notice: Notice): Promise<void>;
  abstract takeWaiting(session: Session, invoiceId: string): Promise<readonly Notice[]>;
}

export interface Delivery {
  readonly id: string;
  readonly noticeId: string;
  readonly channel: Channel;
  readonly address: string;
  readonly tries: number;
}

export abstract class DeliveryStore {
  abstract add(session: Session, delivery: Omit<Delivery, 'tries'>): Promise<void>;
  /** Locks one that still waits; null when it was delivered or given up. */
  abstract waiting(session: Session, id: string): Promise<Delivery | null>;
  abstract delivered(session: Session, id: string): Promise<void>;
  /** @param nextAt null gives it up */
  abstract failed(
    session: Session,
    id: string,
    tries: number,
    problem: string,
    nextAt: Instant | null,
  ): Promise<void>;
}

export abstract class AlertStore {
  abstract add(session: Session, id: string, alert: { kind: string; detail: string }): Promise<void>;
}

export interface OutgoingMail extends Message {
  readonly to: string;
  /** Stable per delivery, so that a mail taken twice can be recognised. */
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
}

export type MailResult =
  { readonly taken: true } | { readonly taken: false; readonly problem: string; readonly permanent: boolean };

export abstract class Mailer {
  /** Resolves with what the server said; never rejects. */
  abstract send(mail: OutgoingMail): Promise<MailResult>;
}
