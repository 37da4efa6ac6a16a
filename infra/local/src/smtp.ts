import type { Server, Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { freePort } from './free-port';
import { parseMail, type ReceivedMail } from './smtp-mail';

export interface SmtpOptions {
  /** A free port when not given. */
  readonly port?: number;
}

/**
 * What the server says to a message it has read.
 * - `accept`: 250, and the message is among `mails`.
 * - `accept-then-disconnect`: the message is among `mails`, and the connection breaks before the 250. A sender that
 *   tries again delivers twice.
 * - a code and a text: refused with it (4xx for later, 5xx for never), and not among `mails`.
 */
export type SmtpAnswer =
  'accept' | 'accept-then-disconnect' | { readonly code: number; readonly message: string };

/** A real SMTP server inside this process, without TLS or passwords. It does not keep the process alive. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Oldest first. */
  readonly mails: ReceivedMail[];
  /** Called after each message taken, from now on. */
  onMail(listener: (mail: ReceivedMail) => void): void;
  /** Decides the answer to every later message; without it all are accepted. */
  answerWith(decide: (mail: ReceivedMail) => SmtpAnswer): void;
  /**
   * The first message, already received or yet to come, for which `predicate` holds.
   * @throws when none comes within `timeoutMs` (10 s when not given); the error lists what did come.
   */
  waitFor(predicate: (mail: ReceivedMail) => boolean, timeoutMs?: number): Promise<ReceivedMail>;
  /** Closes the port and breaks open connections; later ones are refused. */
  down(): Promise<void>;
  /** Opens the same port again. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const WAIT_MS = 10_000;

export async function startSmtp(options: SmtpOptions = {}): Promise<SmtpServer> {
  const server = new InProcessSmtp(options.port ?? (await freePort()));
  await server.up();
  return server;
}

interface Open {
  readonly server: SMTPServer;
  readonly sockets: Set<Socket>;
}

class InProcessSmtp implements SmtpServer {
  readonly host = HOST;
  readonly url: string;
  readonly mails: ReceivedMail[] = [];
  private readonly listeners = new Set<(mail: ReceivedMail) => void>();
  private decide: (mail: ReceivedMail) => SmtpAnswer = () => 'accept';
  private open: Open | null = null;

  constructor(readonly port: number) {
    this.url = `smtp://${HOST}:${port}`;
  }

  onMail(listener: (mail: ReceivedMail) => void): void {
    this.listeners.add(listener);
  }

  answerWith(decide: (mail: ReceivedMail) => SmtpAnswer): void {
    this.decide = decide;
  }

  waitFor(predicate: (mail: ReceivedMail) => boolean, timeoutMs = WAIT_MS): Promise<ReceivedMail> {
    const received = this.mails.find(predicate);
    if (received !== undefined) return Promise.resolve(received);
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.listeners.delete(listener);
        clearTimeout(timer);
        finish();
      };
      const listener = (mail: ReceivedMail): void => {
        if (predicate(mail)) settle(() => resolve(mail));
      };
      const timer = setTimeout(() => settle(() => reject(this.noSuchMail(timeoutMs))), timeoutMs);
      this.listeners.add(listener);
    });
  }

  async up(): Promise<void> {
    if (this.open !== null) return;
    const sockets = new Set<Socket>();
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      onData: (stream, session, done) => void this.receive(stream, session, sockets).then(() => done(), done),
    });
    server.on('error', () => undefined); // a client that breaks its connection is no fault of this server
    server.server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await listen(server.server, this.port);
    this.open = { server, sockets };
  }

  async down(): Promise<void> {
    if (this.open === null) return;
    const { server, sockets } = this.open;
    this.open = null;
    const closed = new Promise<void>((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  stop(): Promise<void> {
    return this.down();
  }

  /** Rejects with the code to answer with. */
  private async receive(
    stream: SMTPServerDataStream,
    session: SMTPServerSession,
    sockets: Set<Socket>,
  ): Promise<void> {
    const mail = await parseMail(await readText(stream), envelopeOf(session), new Date());
    const answer = this.decide(mail);
    if (typeof answer === 'object')
      throw Object.assign(new Error(answer.message), { responseCode: answer.code });
    this.mails.push(mail);
    for (const listener of [...this.listeners]) listener(mail);
    if (answer === 'accept-then-disconnect') destroySocketOf(session, sockets);
  }

  private noSuchMail(timeoutMs: number): Error {
    const subjects = this.mails.map((mail) => `"${mail.subject}" to ${mail.to.join(', ')}`);
    return new Error(`no such mail within ${timeoutMs} ms; received: ${subjects.join('; ') || 'none'}`);
  }
}

function envelopeOf(session: SMTPServerSession): { from: string; to: string[] } {
  const { mailFrom, rcptTo } = session.envelope;
  return { from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address) };
}

function destroySocketOf(session: SMTPServerSession, sockets: Set<Socket>): void {
  for (const socket of sockets) {
    if (socket.remotePort === session.remotePort) socket.destroy();
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.removeListener('error', reject);
      server.unref();
      resolve();
    });
  });
}
