import { formatInstant, parseInstant } from '@tallygate/kernel';
import { type Answer, type EmbeddedStack, type Session, callHttp } from '@tallygate/testing';
import type { Output } from '../output';

/** What a step of the story must come to. */
export interface Expected {
  readonly status: number;
  readonly reason?: string;
}

/** Tells the story: does each step on the running system, prints what came of it, and counts what was not as told. */
export class Story {
  private wrong = 0;
  private mailsSeen = 0;

  constructor(
    private readonly stack: EmbeddedStack,
    private readonly session: Session,
    private readonly output: Output,
  ) {}

  get failures(): number {
    return this.wrong;
  }

  heading(text: string): void {
    this.output.line(`\n${text}`);
  }

  say(text: string): void {
    this.output.line(`  ${text}`);
  }

  /** A consumer's request to the provider's API, through the built-in gateway. */
  async request(path: string, customer: string | null, expected: Expected, unit?: string): Promise<Answer> {
    const credential = customer === null ? undefined : this.session.credentials.get(customer);
    const headers: Record<string, string> = credential ? { authorization: `Bearer ${credential}` } : {};
    const answer = await callHttp(`${this.stack.proxyUrl}${path}`, { headers });
    const reason = answer.headers['billing-gate-reason'] ?? '';
    const balance = unit && customer ? await this.balance(customer, unit) : '';
    const told =
      answer.status === expected.status && (expected.reason === undefined || expected.reason === reason);
    this.show(
      told,
      `GET ${path.padEnd(16)} as ${(customer ?? 'nobody').padEnd(8)} -> ${answer.status} ${reason.padEnd(18)} ${balance}`,
    );
    if (answer.status >= 400) this.explain(answer);
    if (!told) this.output.line(`       expected ${expected.status} ${expected.reason ?? ''}`);
    return answer;
  }

  /** Moves the tenant's clock and lets everything come to rest; then shows the e-mails that came of it. */
  async until(instant: string): Promise<void> {
    const parsed = parseInstant(instant);
    if (!parsed.ok) throw new TypeError(`"${instant}" is not an instant`);
    this.session.dirty = true;
    await this.session.settle(parsed.value);
    this.output.line(`  -- ${formatInstant(this.session.now)}`);
    this.mails();
  }

  async rest(): Promise<void> {
    this.session.dirty = true;
    await this.session.settle();
    this.mails();
  }

  /** Cuts the gate off from everything it learns from, or lets it come back. */
  async gate(action: 'cut' | 'join'): Promise<void> {
    this.say(action === 'cut' ? 'the gate loses its feed' : 'the gate has its feed again');
    await this.stack.service(action, 'gate');
    this.session.dirty = true;
  }

  check(told: boolean, text: string): void {
    this.show(told, text);
  }

  private async balance(customer: string, unit: string): Promise<string> {
    const wallet = await this.session.call('ledger', `/v1/customers/${customer}/wallets/${unit}`);
    return `balance ${String(wallet.body?.['available'] ?? '0')} ${unit}`;
  }

  private show(told: boolean, text: string): void {
    if (!told) this.wrong += 1;
    this.output.line(`  ${told ? 'ok ' : 'NOT'} ${text}`);
  }

  private explain({ body }: Answer): void {
    const action = body?.['action_url'] ?? body?.['action'];
    this.output.line(`       ${String(body?.['detail'] ?? '')}${action ? ` -> ${String(action)}` : ''}`);
  }

  private mails(): void {
    const mine = this.stack
      .mails()
      .filter((mail) => mail.headers['x-tallygate-tenant'] === this.session.tenantId);
    for (const { to, headers } of mine.slice(this.mailsSeen)) {
      this.output.line(`  mail to ${to[0]}: ${headers['x-tallygate-kind']} (${headers['subject'] ?? ''})`);
    }
    this.mailsSeen = mine.length;
  }
}
