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

/** Sends over one SMTP server, connections kept open. */
export class SmtpMailer extends Mailer {
  private readonly transport: Transporter;

  constructor(private readonly options: SmtpMailerOptions) {
    super();
    const patience = options.patienceMs ?? PATIENCE_MS;
    const timeouts = { connectionTimeout: patience, greetingTimeout: patience, socketTimeout: patience };
    this.transport = createTransport({ url: options.url, pool: true, maxConnections: 4, ...timeouts });
  }

  override async send({ to, subject, text, html, messageId, headers }: OutgoingMail): Promise<MailResult> {
    try {
      await this.transport.sendMail({
        from: this.options.from,
        to,
        subject,
        text,
        html,
        messageId,
        headers: { ...headers },
      });
      return { taken: true };
    } catch (error) {
      const { message, responseCode } = error as { message?: string; responseCode?: number };
      return { taken: false, problem: message ?? String(error), permanent: (responseCode ?? 0) >= PERMANENT };
    }
  }

  close(): void {
    this.transport.close();
  }
}
