import { Injectable } from '@nestjs/common';
import { counter, ServiceContext } from '@tallygate/platform';
import type { DeadLetterCode } from '../service/dead-letters';
import type { ParkedCode } from '../service/ports';
import { UsageCounts } from '../service/usage-counts';
import type { Via } from '../service/usage-counts';

@Injectable()
export class PrometheusUsageCounts extends UsageCounts {
  private readonly taken;
  private readonly repeats;
  private readonly refusals;
  private readonly waiting;
  private readonly letters;
  private readonly misses;

  constructor({ metrics }: ServiceContext) {
    super();
    this.taken = counter(metrics, 'tallygate_usage_accepted_total', 'Usage events handed to the ledger', [
      'via',
    ]);
    this.repeats = counter(
      metrics,
      'tallygate_usage_duplicates_total',
      'Usage events sent again over HTTP',
      [],
    );
    this.refusals = counter(metrics, 'tallygate_usage_refused_total', 'Usage events refused over HTTP', [
      'code',
    ]);
    this.waiting = counter(metrics, 'tallygate_usage_parked_total', 'Usage events parked', ['code']);
    this.letters = counter(metrics, 'tallygate_dead_letters_total', 'Dead letters written', ['code']);
    this.misses = counter(
      metrics,
      'tallygate_identity_lookups_missed_total',
      'Times the ledger could not be asked about identities',
      [],
    );
  }

  override accepted(via: Via, count: number): void {
    this.taken.inc({ via }, count);
  }

  override duplicate(count: number): void {
    this.repeats.inc(count);
  }

  override refused(code: 'invalid_event' | 'identity_conflict', count: number): void {
    this.refusals.inc({ code }, count);
  }

  override parked(code: ParkedCode, count: number): void {
    this.waiting.inc({ code }, count);
  }

  override deadLettered(code: DeadLetterCode, count: number): void {
    this.letters.inc({ code }, count);
  }

  override lookupMissed(): void {
    this.misses.inc();
  }
}
