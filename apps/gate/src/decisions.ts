import type { GateClient, GateRequest, Verdict } from '@tallygate/gate-sdk';

/** Counts what the gate decides, whichever way it was asked. */
export class Decisions {
  /** By reason. */
  readonly counts = new Map<string, number>();

  constructor(private readonly client: GateClient) {}

  decide(request: GateRequest, mode: 'use' | 'look'): Verdict | Promise<Verdict> {
    const verdict = this.client.decide(request, mode);
    if ('then' in verdict) return verdict.then((late) => this.counted(late));
    return this.counted(verdict);
  }

  private counted(verdict: Verdict): Verdict {
    this.counts.set(verdict.reason, (this.counts.get(verdict.reason) ?? 0) + 1);
    return verdict;
  }
}
