import type { CustomerFacts, NoticeKind, QuotaFacts } from '@tallygate/contracts';
import type { Instant } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import type { Announced, Message, Notice, Planned, Reminder, Stage } from '../domain';
import type { Session } from './session';

export type Channel = 'email';

export interface StoredNotice extends Notice {
  readonly id: string;
  readonly at: Instant;
}

/** Who may work on a customer: one transaction at a time. */
export abstract class CustomerLane {
  /** Whoever enters for several does so in the same order as everybody else, so that no two wait for each other. */
  abstract enter(tx: Tx, tenantId: string, customerIds: readonly string[]): Promise<void>;
  /** Waits for everybody who works on a customer of the tenant, and keeps them out until the transaction ends. */
  abstract enterAll(tx: Tx, tenantId: string): Promise<void>;
}

export abstract class NoticeStore {
  /** Claims the notice's identity; null when it was said before. */
  abstract claim(session: Session, notice: Notice): Promise<StoredNotice | null>;
  abstract find(session: Session, id: string): Promise<StoredNotice | null>;
  /** Those of a kind about a subject that nobody took and that no delivery will bring. */
  abstract unreached(
    session: Session,
    about: Pick<Notice, 'customerId' | 'kind' | 'subject'>,
  ): Promise<readonly StoredNotice[]>;
}

export interface Alert {
  readonly at: Instant;
  readonly kind: string;
  readonly detail: string;
}

/** What a tenant may read; by its API's rights. */
export abstract class NoticeFeed {
  abstract customer(tenantId: string, key: string): Promise<CustomerFacts | null>;
  /** The latest thousand, oldest first. */
  abstract notices(tenantId: string, customerId: string): Promise<readonly StoredNotice[]>;
  abstract alerts(tenantId: string): Promise<readonly Alert[]>;
}

export const WATCHED = ['usage', 'balance', 'lot', 'subscription', 'method', 'standing', 'flags'] as const;
export type Watched = (typeof WATCHED)[number];

export interface WatchKey {
  readonly kind: Watched;
  readonly customerId: string;
  /** Of the thing: a feature, a unit, a lot's or a subscription's id. */
  readonly key: string;
}

/** Facts of billing, ledger and dunning as they arrived: JSON. */
export type Facts = unknown;

/** Something watched, as it is known. */
export interface Watch extends WatchKey {
  readonly version: number;
  readonly facts: Facts;
  /** Thresholds that were announced and are not armed again yet. */
  readonly fired: readonly string[];
  /** When the facts will mean something else by themselves; null for never. */
  readonly dueAt: Instant | null;
}

/** A feature's use in a period. */
export type UsedPeriod = Pick<QuotaFacts, 'customerId' | 'feature' | 'periodStart'>;

/** Everything that is watched, at its latest version. */
export abstract class WatchStore {
  /**
   * Takes in a version of something's facts.
   * @returns false when this version or a later one is known; else what was known before, null for nothing
   */
  abstract take(
    session: Session,
    watch: WatchKey,
    version: number,
    facts: Facts,
  ): Promise<false | { readonly before: Facts | null }>;
  abstract latest(session: Session, watch: WatchKey): Promise<Facts | null>;
  /** Those of them that are known. */
  abstract known(session: Session, watches: readonly WatchKey[]): Promise<readonly Omit<Watch, 'facts'>[]>;
  /** Keeps them as given, whatever was known of them. */
  abstract keep(session: Session, watches: readonly Watch[]): Promise<void>;
  /** Has everything about a customer, or about all of them (null), looked at again. */
  abstract lookAgain(session: Session, customerId: string | null): Promise<void>;
  /** Takes one whose time to be looked at has come; null when somebody did meanwhile. */
  abstract takeDue(session: Session, id: string): Promise<(WatchKey & { readonly facts: Facts }) | null>;
  /** What was announced in these periods, where anything was. */
  abstract announced(
    session: Session,
    periods: readonly UsedPeriod[],
  ): Promise<readonly (UsedPeriod & { readonly announced: Announced })[]>;
  abstract setAnnounced(session: Session, period: UsedPeriod, announced: Announced): Promise<void>;
}

export abstract class ReminderStore {
  /** Stages that wait to be said about these things, those already due included. */
  abstract planned(session: Session, things: readonly Planned[]): Promise<readonly Stage[]>;
  abstract forget(session: Session, stages: readonly Stage[]): Promise<void>;
  /** Adds them, or changes the one that waits at the same stage. */
  abstract keep(session: Session, reminders: readonly Reminder[]): Promise<void>;
  /** Takes all that are due together with this one; empty when it was forgotten or said meanwhile. */
  abstract takeDue(session: Session, id: string): Promise<readonly Reminder[]>;
}

export interface KnownInvoice {
  readonly number: number;
  readonly kind: 'subscription' | 'top_up';
}

/** Numbers of invoices by their ids, and what waits for one. */
export abstract class InvoiceIndex {
  abstract remember(session: Session, invoice: KnownInvoice & { readonly id: string }): Promise<void>;
  abstract find(session: Session, invoiceId: string): Promise<KnownInvoice | null>;
  /** Keeps what is to be said until the invoice is known. */
  abstract wait(session: Session, invoiceId: string, notice: Notice): Promise<void>;
  abstract takeWaiting(session: Session, invoiceId: string): Promise<readonly Notice[]>;
}

export interface Delivery {
  readonly id: string;
  readonly noticeId: string;
  readonly customerId: string;
  readonly channel: Channel;
  readonly address: string;
  readonly tries: number;
}

export abstract class DeliveryStore {
  abstract add(session: Session, delivery: Omit<Delivery, 'tries'>): Promise<void>;
  /** One that still waits; null when it was delivered, given up or withdrawn. */
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
  /** What waits for the customer goes to this address from now on. */
  abstract redirect(session: Session, customerId: string, address: string): Promise<void>;
  /** Keeps back what is of this kind and about another subject, and lets go of what is about this one. */
  abstract onlyAbout(
    session: Session,
    customerId: string,
    kind: NoticeKind,
    subject: string | null,
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
  /** True gives the mail a List-Unsubscribe header. */
  readonly optional: boolean;
  readonly unsubscribeUrl: string | null;
}

export type MailResult =
  { readonly taken: true } | { readonly taken: false; readonly problem: string; readonly permanent: boolean };

export abstract class Mailer {
  /** Resolves with what the server said; never rejects. */
  abstract send(mail: OutgoingMail): Promise<MailResult>;
}
