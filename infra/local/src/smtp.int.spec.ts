import { createTransport } from 'nodemailer';
import { startSmtp, type SmtpServer } from './smtp';

async function send(server: SmtpServer, subject: string, to = 'ada@example.test'): Promise<void> {
  const transport = createTransport(server.url);
  try {
    await transport.sendMail({
      from: 'Tallygate <billing@example.test>',
      to: `Ada <${to}>`,
      bcc: 'archive@example.test',
      subject,
      text: 'Ihr Guthaben ist aufgebraucht: 0,00 €',
      html: '<p>0,00 €</p>',
      headers: { 'X-Tallygate-Stage': 'low' },
    });
  } finally {
    transport.close();
  }
}

describe('The SMTP server', () => {
  let server: SmtpServer;
  beforeEach(async () => (server = await startSmtp()));
  afterEach(() => server.stop());

  it('shows a mail as it was sent', async () => {
    await send(server, 'Guthaben für März');
    expect(server.mails).toMatchObject([
      {
        from: 'billing@example.test',
        to: ['ada@example.test', 'archive@example.test'],
        subject: 'Guthaben für März',
        text: expect.stringContaining('Ihr Guthaben ist aufgebraucht: 0,00 €') as string,
        html: '<p>0,00 €</p>',
        headers: { 'x-tallygate-stage': 'low', from: 'Tallygate <billing@example.test>' },
        raw: expect.stringContaining('X-Tallygate-Stage: low') as string,
      },
    ]);
  });

  it('waits for a mail, before and after it came', async () => {
    const second = server.waitFor(({ subject }) => subject === 'second');
    await send(server, 'first');
    await send(server, 'second');
    expect((await second).subject).toBe('second');
    expect((await server.waitFor(({ subject }) => subject === 'first')).subject).toBe('first');
  });

  it('says what did come when the one waited for does not', async () => {
    await send(server, 'another');
    const waited = server.waitFor(({ subject }) => subject === 'none', 1);
    await expect(waited).rejects.toThrow('no such mail within 1 ms; received: "another" to ada@example.test');
  });

  it('calls listeners', async () => {
    const seen: string[] = [];
    server.onMail(({ subject }) => seen.push(subject));
    await send(server, 'one');
    await send(server, 'two');
    expect(seen).toEqual(['one', 'two']);
  });

  it('is down and up again on the same port, and keeps what it received', async () => {
    await send(server, 'before');
    await server.down();
    await expect(send(server, 'lost')).rejects.toThrow(/ECONNREFUSED/);
    await server.up();
    await send(server, 'after');
    expect(server.mails.map(({ subject }) => subject)).toEqual(['before', 'after']);
  });

  it('refuses a mail when told to', async () => {
    server.answerWith(({ subject }) =>
      subject === 'later' ? { code: 451, message: 'greylisted' } : 'accept',
    );
    await expect(send(server, 'later')).rejects.toMatchObject({ responseCode: 451 });
    await send(server, 'now');
    expect(server.mails.map(({ subject }) => subject)).toEqual(['now']);
  });

  it('takes a mail and breaks the connection before it says so', async () => {
    server.answerWith(() => 'accept-then-disconnect');
    await expect(send(server, 'taken')).rejects.toThrow();
    expect(server.mails.map(({ subject }) => subject)).toEqual(['taken']);
  });
});
