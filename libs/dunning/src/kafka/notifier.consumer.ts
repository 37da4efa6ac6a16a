import { Injectable } from '@nestjs/common';
import { decodeEvent, TOPICS } from '@tallygate/contracts';
import type { NotifierEvent } from '@tallygate/contracts';
import { invariant, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { Slice, Subscription } from '@tallygate/platform';
import { Sessions } from '../service/session';
import type { Session } from '../service/session';
import { Standing } from '../service/standing.service';

/** Learns whether the warning before a suspension reached anybody. */
@Injectable()
export class NotifierConsumer {
  readonly subscription: Subscription = {
    topics: [TOPICS.notifierEvents],
    group: 'dunning.notifier',
    handle: (slice) => this.handle(slice),
  };

  constructor(
    private readonly sessions: Sessions,
    private readonly standing: Standing,
  ) {}

  private async handle({ messages }: Slice): Promise<void> {
    for (const message of messages) {
      const event = decodeEvent<NotifierEvent>(message.value);
      if (event.type === 'alert.raised' || event.data.kind !== 'suspension_scheduled') continue;
      await this.sessions.run(event.tenantId, (session) => this.take(session, event));
    }
  }

  private async take(
    session: Session,
    event: Exclude<NotifierEvent, { type: 'alert.raised' }>,
  ): Promise<void> {
    // The stages after the first repeat the announcement; only the first starts the notice, and a subject that is no
    // instant is no warning about an anchor.
    const anchor = parseInstant(event.data.subject);
    if (!anchor.ok) return;
    if (event.type === 'notice.undeliverable')
      return this.standing.warningUndeliverable(session, event.data.customerId, anchor.value);
    await this.standing.warningDelivered(
      session,
      event.data.customerId,
      anchor.value,
      instantOf(event.data.deliveredAt),
    );
  }
}

function instantOf(text: string): Instant {
  const parsed = parseInstant(text);
  invariant(parsed.ok, `A delivery at a time that is none: ${text}`);
  return parsed.value;
}
