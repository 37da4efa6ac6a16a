import { Injectable } from '@nestjs/common';
import type { MeteredEvent } from '@tallygate/contracts';
import { DeadLetterStore } from './dead-letters';
import type { NewDeadLetter } from './dead-letters';
import { ParkedStore, UsagePublisher } from './ports';
import type { Disposition, ParkedEvent } from './ports';
import { UsageCounts } from './usage-counts';
import { UsageReader } from './usage-reader.service';
import type { Outcome } from './usage-reader.service';

const AT_ONCE = 500;

/** Sends parked events on their way when what was missing has appeared; the ledger sees them as of their own time. */
@Injectable()
export class RedriveParked {
  constructor(
    private readonly parked: ParkedStore,
    private readonly reader: UsageReader,
    private readonly publisher: UsagePublisher,
    private readonly letters: DeadLetterStore,
    private readonly counts: UsageCounts,
  ) {}

  /** @returns how many were looked at because a cause has gone, and how many corrections found their event */
  async run(scope: string | null): Promise<number> {
    const looked = await this.parked.revisit(scope, AT_ONCE, (events) => this.look(events));
    return looked + (await this.parked.revisitAwaiting(scope, AT_ONCE, (events) => this.look(events)));
  }

  private async look(events: readonly ParkedEvent[]): Promise<readonly Disposition[]> {
    const outcomes = await this.reader.read(
      events.map((event) => ({ tenantId: event.tenantId, json: JSON.parse(event.event), admitted: event })),
    );
    const metered = outcomes.flatMap((outcome): MeteredEvent[] =>
      outcome.kind === 'metered' ? [outcome.metered] : [],
    );
    if (metered.length > 0) await this.publisher.publish(metered);
    const letters = outcomes.flatMap((outcome, place) => lettersOf(outcome, events[place] as ParkedEvent));
    if (letters.length > 0) await this.letters.add(letters);
    this.counts.accepted('redrive', metered.length);
    this.counts.deadLettered('invalid_event', letters.length);
    return outcomes.map(dispositionOf);
  }
}

/** The meter that came in the end may want what the event does not have. */
function lettersOf(
  outcome: Outcome,
  { tenantId, source, id, event, receivedAt }: ParkedEvent,
): NewDeadLetter[] {
  if (outcome.kind !== 'refused') return [];
  const origin = `parked:${JSON.stringify([tenantId, source, id])}`;
  const { faults } = outcome;
  return [
    {
      tenantId,
      origin,
      code: 'invalid_event',
      faults,
      source,
      eventId: id,
      payload: Buffer.from(event),
      headers: {},
      receivedAt,
    },
  ];
}

function dispositionOf(outcome: Outcome): Disposition {
  if (outcome.kind !== 'parked') return { kind: 'gone' };
  const { code, revision } = outcome.parked;
  return { kind: 'waits', code, revision };
}
