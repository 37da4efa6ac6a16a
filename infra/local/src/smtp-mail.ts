import { simpleParser } from 'mailparser';

/** A message as the server took it. */
export interface ReceivedMail {
  /** Envelope sender (MAIL FROM); the header is in `headers.from`. */
  readonly from: string;
  /** Envelope recipients (RCPT TO): who gets it, bcc included. */
  readonly to: string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string | null;
  /** By lower-case name; the first one when a name occurs twice. */
  readonly headers: Record<string, string>;
  readonly raw: string;
  readonly receivedAt: Date;
}

export interface Envelope {
  readonly from: string;
  readonly to: string[];
}

export async function parseMail(raw: string, envelope: Envelope, receivedAt: Date): Promise<ReceivedMail> {
  const { subject, text, html, headerLines } = await simpleParser(raw);
  const headers = Object.fromEntries(
    [...headerLines].reverse().map(({ key, line }) => [key, headerValue(line)]),
  );
  return {
    ...envelope,
    subject: subject ?? '',
    text: text ?? '',
    html: html === false ? null : html,
    headers,
    raw,
    receivedAt,
  };
}

/** The value of a header line, unfolded. */
function headerValue(line: string): string {
  return line
    .slice(line.indexOf(':') + 1)
    .replace(/\r?\n(?=[ \t])/g, '')
    .trim();
}
