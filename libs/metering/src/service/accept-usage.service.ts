import { Injectable } from '@nestjs/common';
import type { Fault } from '../domain/fault';
import type { TimeBounds } from '../domain/usage-event';
import type { ParkedCode } from './ports';
import { UsageAdmission } from './usage-admission.service';
import type { Admitted } from './usage-admission.service';
import { UsageCounts } from './usage-counts';
import { UsageReader } from './usage-reader.service';
import type { Outcome, Read } from './usage-reader.service';

/** What is answered about one event. Accepted and parked events are durable. */
export type Acceptance =
  | { readonly kind: 'accepted'; readonly id: string; readonly duplicate: boolean }
  | { readonly kind: 'parked'; readonly id: string; readonly duplicate: boolean; readonly code: ParkedCode }
  | { readonly kind: 'invalid'; readonly id: string | null; readonly faults: readonly Fault[] }
  | { readonly kind: 'conflict'; readonly id: string; readonly source: string };

/** Takes events of a tenant over HTTP. */
@Injectable()
export class AcceptUsage {
  constructor(
    private readonly reader: UsageReader,
    private readonly admission: UsageAdmission,
    private readonly counts: UsageCounts,
  ) {}

  /**
   * @param bounds which times are taken, where they are not the dedup window's
   * @returns one answer per event, in order; good events are taken whatever the others are
   */
  async accept(
    tenantId: string,
    events: readonly unknown[],
    bounds?: TimeBounds,
  ): Promise<readonly Acceptance[]> {
    const outcomes = await this.reader.read(events.map((json) => ({ tenantId, json, bounds })));
    const reads = outcomes.filter((outcome): outcome is Read => outcome.kind !== 'refused');
    const admitted = await this.admission.admit(reads);
    let place = 0;
    const answers = outcomes.map((outcome) =>
      answerOf(outcome, outcome.kind === 'refused' ? null : (admitted[place++] ?? null)),
    );
    this.count(answers);
    return answers;
  }

  private count(answers: readonly Acceptance[]): void {
    let accepted = 0;
    for (const answer of answers) {
      if (answer.kind === 'invalid') this.counts.refused('invalid_event', 1);
      else if (answer.kind === 'conflict') this.counts.refused('identity_conflict', 1);
      else if (answer.duplicate) this.counts.duplicate(1);
      else if (answer.kind === 'parked') this.counts.parked(answer.code, 1);
      else accepted += 1;
    }
    if (accepted > 0) this.counts.accepted('http', accepted);
  }
}

function answerOf(outcome: Outcome, admitted: Admitted | null): Acceptance {
  if (outcome.kind === 'refused') return { kind: 'invalid', id: outcome.id, faults: outcome.faults };
  const { id, source } = outcome.kind === 'metered' ? outcome.metered : outcome.parked;
  if (admitted === null) return { kind: 'conflict', id, source };
  const { duplicate } = admitted;
  return outcome.kind === 'parked'
    ? { kind: 'parked', id, duplicate, code: outcome.parked.code }
    : { kind: 'accepted', id, duplicate };
}
