import { Injectable } from '@nestjs/common';
import { addMicros, formatInstant, Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { TenantTime } from '@tallygate/platform';
import { AcceptUsage } from './accept-usage.service';
import type { Acceptance } from './accept-usage.service';
import type { Actor, AuditEntry } from './audit-log';
import { BackfillStore } from './backfills';
import type { Backfill, BackfillCounts } from './backfills';

export interface BackfillRequest extends Actor {
  readonly tenantId: string;
  readonly from: Instant;
  readonly to: Instant;
  readonly reason: string;
}

export type Opening =
  | { readonly kind: 'opened'; readonly backfill: Backfill }
  | { readonly kind: 'empty_period' }
  | { readonly kind: 'in_future' };

export type Filling =
  | { readonly kind: 'answered'; readonly answers: readonly Acceptance[] }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'closed_before' };

export type BackfillClosing =
  | { readonly kind: 'closed'; readonly backfill: Backfill }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'closed_before' };

const NOTHING: BackfillCounts = { accepted: 0, duplicates: 0, parked: 0, refused: 0 };

/**
 * Brings in usage of a past period: an operator opens the period, sends its events as any other usage, and closes it.
 * They are rated by their own time; what the ledger has booked of them is not booked again.
 */
@Injectable()
export class BackfillUsage {
  constructor(
    private readonly store: BackfillStore,
    private readonly usage: AcceptUsage,
    private readonly time: TenantTime,
    private readonly ids: Ids,
  ) {}

  async open(request: BackfillRequest): Promise<Opening> {
    const now = await this.time.now(request.tenantId);
    if (request.to <= request.from) return { kind: 'empty_period' };
    if (request.to > now) return { kind: 'in_future' };
    const fresh = { status: 'open', openedAt: now, closedAt: null, counts: NOTHING } as const;
    const backfill: Backfill = { ...request, id: this.ids.next(), ...fresh };
    await this.store.open(backfill, auditOf(backfill, 'backfill.opened', request, now));
    return { kind: 'opened', backfill };
  }

  async take(tenantId: string, id: string, events: readonly unknown[]): Promise<Filling> {
    const backfill = await this.store.find(tenantId, id);
    if (backfill === null) return { kind: 'not_found' };
    if (backfill.status === 'closed') return { kind: 'closed_before' };
    const period = `[${formatInstant(backfill.from)}, ${formatInstant(backfill.to)})`;
    const bounds = { oldest: backfill.from, latest: addMicros(backfill.to, -1), period };
    const answers = await this.usage.accept(tenantId, events, bounds);
    await this.store.count(tenantId, id, countsOf(answers));
    return { kind: 'answered', answers };
  }

  async close(tenantId: string, id: string, actor: Actor): Promise<BackfillClosing> {
    const now = await this.time.now(tenantId);
    const backfill = await this.store.find(tenantId, id);
    if (backfill === null) return { kind: 'not_found' };
    const audit = auditOf(backfill, 'backfill.closed', actor, now);
    if (!(await this.store.close(tenantId, id, now, audit))) return { kind: 'closed_before' };
    return { kind: 'closed', backfill: { ...backfill, status: 'closed', closedAt: now } };
  }
}

function auditOf(
  { tenantId, id, from, to, reason, counts }: Backfill,
  action: AuditEntry['action'],
  { keyId, author }: Actor,
  at: Instant,
): AuditEntry {
  const detail = { from: formatInstant(from), to: formatInstant(to), ...counts };
  return { tenantId, keyId, author, at, action, subject: id, reason, detail };
}

function countsOf(answers: readonly Acceptance[]): BackfillCounts {
  const taken = answers.filter((one) => one.kind === 'accepted' || one.kind === 'parked');
  const duplicates = taken.filter((one) => one.duplicate).length;
  const parked = taken.filter((one) => one.kind === 'parked' && !one.duplicate).length;
  return {
    accepted: taken.length - duplicates - parked,
    duplicates,
    parked,
    refused: answers.length - taken.length,
  };
}
