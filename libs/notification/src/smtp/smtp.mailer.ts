import { type Transporter, createTransport } from 'nodemailer';
import { type MailResult, Mailer, type OutgoingMail } from '../service/ports';

export interface SmtpMailerOptions {
  readonly url: string;
  readonly from: string;
  /** How long one step of a delivery may take, in milliseconds. Default 10 s. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 10_000;
const PERMANENT = 500;
/** Answers to these are about the mail; a refusal before them is about us, and may be put right. */
const ABOUT_THE_MAIL = ['RCPT TO', 'DATA', 'API'];

/** Sends over one SMTP server, connections kept open. */
export class SmtpMailer extends Mailer {
  private readonly transport: Transporter;

  constructor(private readonly options: SmtpMailerOptions) {
    super();
    const patience = options.patienceMs ?? PATIENCE_MS;
    const timeouts = { connectionTimeout: patience, greetingTimeout: patience, socketTimeout: patience };
    this.transport = createTransport({
      url: options.url,
      pool: true,
      maxConnections: 4,
      maxRequeues: 0,
      ...timeouts,
    });
  }

  override async send(mail: OutgoingMail): Promise<MailResult> {
    const { to, subject, text, html, messageId } = mail;
    const headers = { ...mail.headers, ...this.unsubscribe(mail) };
    try {
      await this.transport.sendMail({ from: this.options.from, to, subject, text, html, messageId, headers });
      return { taken: true };
    } catch (error) {
      const { message } = error as { message?: string };
      return { taken: false, problem: message ?? String(error), permanent: isPermanent(error) };
    }
  }

  close(): void {
    this.transport.close();
  }

  /** What a customer may do without can be switched off: at the portal, and by mail to whoever sent it. */
  private unsubscribe({ optional, unsubscribeUrl }: OutgoingMail): Record<string, string> {
    if (!optional) return {};
    const byMail = `<mailto:${addressIn(this.options.from)}?subject=unsubscribe>`;
    return { 'List-Unsubscribe': unsubscribeUrl === null ? byMail : `<${unsubscribeUrl}>, ${byMail}` };
  }
}

/** A mail that no server will ever take: refused with 5xx, or without a recipient that could be sent to. */
function isPermanent(error: unknown): boolean {
  const { code, command, responseCode } = error as Partial<
    Record<'code' | 'command', string> & { responseCode: number }
  >;
  if (responseCode === undefined) return code === 'EENVELOPE';
  return responseCode >= PERMANENT && ABOUT_THE_MAIL.includes(command ?? '');
}

/** The address in "Name <address>". */
function addressIn(from: string): string {
  return /<([^<>]+)>/.exec(from)?.[1] ?? from;
}
