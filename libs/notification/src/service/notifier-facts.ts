import { Injectable } from '@nestjs/common';
import { type NotifierEvent, TOPICS, encodeEvent } from '@tallygate/contracts';
import { Ids, formatInstant } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { Channel, StoredNotice } from './ports';
import type { Session } from './session';

type Said = {
  [E in NotifierEvent as E['type']]: { readonly type: E['type']; readonly data: E['data'] };
}[NotifierEvent['type']];

/** Says what became of a notice, in the transaction in which it did. */
@Injectable()
export class NotifierFacts {
  constructor(
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  delivered(session: Session, notice: StoredNotice, channel: Channel): Promise<void> {
    const { threshold } = notice;
    const data = { ...which(notice), threshold, channel, deliveredAt: formatInstant(session.now) };
    return this.say(session, notice.customerId, { type: 'notice.delivered', data });
  }

  undeliverable(session: Session, notice: StoredNotice): Promise<void> {
    return this.say(session, notice.customerId, { type: 'notice.undeliverable', data: which(notice) });
  }

  private async say({ tx, tenantId, now }: Session, key: string, said: Said): Promise<void> {
    const event = { id: this.ids.next(), tenantId, occurredAt: formatInstant(now), ...said };
    await this.outbox.add(tx, [{ tenantId, topic: TOPICS.notifierEvents, key, ...encodeEvent(event) }]);
  }
}

function which({ id: noticeId, customerId, kind, subject }: StoredNotice) {
  return { noticeId, customerId, kind, subject };
}
