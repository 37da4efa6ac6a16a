import type { Usage } from '../load/usage';

export interface SentUsage extends Usage {
  acknowledged: boolean;
}

/** What became of a purchase, as its buyer knows it. */
export interface SentTopUp {
  readonly key: string;
  readonly customer: string;
  readonly amount: string;
  /** HTTP status of the answer; null while there was none. */
  status: number | null;
}

/** What the clients know, kept outside the system that is judged by it. */
export class ClientRecord {
  readonly usage = new Map<string, SentUsage>();
  readonly topUps = new Map<string, SentTopUp>();
  /** Ids that were sent again with another payload: refused at the door, or taken in, to become a dead letter. */
  readonly conflicts = new Map<string, 'refused' | 'taken'>();
  /** In the order of acknowledgement, to repeat from. */
  readonly acknowledged: SentUsage[] = [];
  repeats = 0;
  readonly gateAnswers = new Map<string, number>();
  /** Answers that no client should ever see. */
  readonly wrongs: string[] = [];

  sent(usage: Usage): SentUsage {
    const sent = { ...usage, acknowledged: false };
    this.usage.set(usage.id, sent);
    return sent;
  }

  acknowledge(events: readonly SentUsage[]): void {
    for (const event of events) {
      if (event.acknowledged) continue;
      event.acknowledged = true;
      this.acknowledged.push(event);
    }
  }

  wrong(what: string): void {
    this.wrongs.push(what);
  }

  gateAnswered(who: string, answer: string): void {
    const name = `${who} ${answer}`;
    this.gateAnswers.set(name, (this.gateAnswers.get(name) ?? 0) + 1);
  }
}
