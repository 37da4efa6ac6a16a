import { Injectable } from '@nestjs/common';
import { DunningFacts } from './dunning-facts';
import { Disputes } from './disputes.service';
import { Outcomes } from './outcomes.service';
import { AttemptStore, PayerDirectory, PaymentProvider, PayerStore, ProviderEventStore } from './ports';
import type { ProviderEvent } from './ports';
import { Sessions } from './session';
import type { Session } from './session';

export type WebhookAnswer =
  | 'taken'
  /** Handled before: nothing moves. */
  | 'repeated'
  | 'unreadable'
  | 'forged'
  /** Names an object of the other mode, or none of this tenant. */
  | 'refused';

/** Takes in provider events. A refused one moves nothing and tells the operator. */
@Injectable()
export class Webhooks {
  constructor(
    private readonly sessions: Sessions,
    private readonly events: ProviderEventStore,
    private readonly payers: PayerStore,
    private readonly attempts: AttemptStore,
    private readonly provider: PaymentProvider,
    private readonly outcomes: Outcomes,
    private readonly disputes: Disputes,
    private readonly facts: DunningFacts,
    private readonly directory: PayerDirectory,
  ) {}

  async take(rawBody: Buffer, headers: Readonly<Record<string, string>>): Promise<WebhookAnswer> {
    const reading = this.provider.readWebhook(rawBody, headers);
    if (reading.kind === 'unreadable') return 'unreadable';
    if (reading.kind === 'event')
      return this.sessions.run(reading.event.tenantId, (session) => this.handle(session, reading.event));
    const tenantId = reading.claimedTenantId;
    if (tenantId !== null) {
      await this.sessions.run(tenantId, (session) => this.forged(session));
    }
    return 'forged';
  }

  /** The name of the tenant is as little proven as the rest: a fact about one that is not there would stop its readers. */
  private async forged(session: Session): Promise<void> {
    if (!(await this.directory.knowsTenant(session))) return;
    await this.alert(session, 'A webhook with a wrong signature was refused; nothing moved.');
  }

  private async handle(session: Session, event: ProviderEvent): Promise<WebhookAnswer> {
    const attempt = await this.attempts.find(session, event.attemptId);
    if (attempt === null || attempt.mode !== event.mode) {
      await this.alert(
        session,
        `A ${event.mode} event named attempt ${event.attemptId}, which is not of that mode; nothing moved.`,
      );
      return 'refused';
    }
    await this.payers.lock(session, attempt.payerId);
    if (!(await this.events.claim(session, this.provider.name, event.eventId))) return 'repeated';
    if (event.kind === 'outcome') await this.outcomes.take(session, attempt.id, event.outcome);
    else await this.disputes.take(session, attempt, event.kind);
    return 'taken';
  }

  private alert(session: Session, detail: string): Promise<void> {
    return this.facts.alert(session, session.tenantId, 'webhook_refused', detail);
  }
}
