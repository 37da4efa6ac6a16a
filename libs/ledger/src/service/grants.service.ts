import { Injectable } from '@nestjs/common';
import { formatDuration, Ids, invariant } from '@tallygate/kernel';
import type { Duration, Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { giveBack, grantFaults, isClosed, issueLot, settleDue, takeBack, voidGrant } from '../domain';
import type {
  GrantKind,
  GrantTermsFault,
  Lot,
  Rollover,
  VoidOutcome,
  WalletDraft,
  WalletKey,
} from '../domain';
import { GrantStore } from './grant-store';
import type { NewGrant } from './grant-store';
import { WalletPosting } from './wallet-posting';

export interface GrantRequest extends WalletKey {
  readonly key: string;
  readonly source: string;
  readonly amount: Nano;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly effectiveAt: Instant | null;
  readonly expiresAt: Instant | null;
  readonly features: readonly string[] | null;
  readonly recurrence: {
    readonly every: Duration;
    readonly anchor: Instant | null;
    readonly zone: string;
  } | null;
  readonly rollover: Rollover | null;
}

export type GrantOutcome =
  | { readonly status: 'granted'; readonly grantId: string }
  | { readonly status: 'key_taken' }
  | { readonly status: 'refused'; readonly faults: readonly GrantTermsFault[] };

export interface Reversal {
  readonly tenantId: string;
  readonly source: string;
  readonly reversed: Nano;
  readonly version: number;
}

export type VoidGrantOutcome = { readonly status: VoidOutcome | 'unknown' };

/** Gives credit and takes it back. */
@Injectable()
export class Grants {
  constructor(
    private readonly grants: GrantStore,
    private readonly posting: WalletPosting,
    private readonly ids: Ids,
  ) {}

  async grant(tx: Tx, request: GrantRequest, now: Instant): Promise<GrantOutcome> {
    const effectiveAt = request.effectiveAt ?? now;
    const faults = grantFaults({ ...request, effectiveAt }, now);
    if (faults.length > 0) return { status: 'refused', faults };
    const [open] = await this.posting.open(tx, [request], () => now);
    invariant(open, 'A wallet asked for is opened');
    const grant = newGrant(request, this.ids.next(), open.draft.wallet.id, effectiveAt, now);
    if (!(await this.grants.insert(tx, grant))) return { status: 'key_taken' };
    issue(open.draft, grant);
    await this.posting.close(tx, [open], 'all');
    return { status: 'granted', grantId: grant.id };
  }

  /** A grant whose source may be granted once; a repeat changes nothing, and a key that is taken gets its source beside it. */
  async grantOnce(tx: Tx, request: GrantRequest, now: Instant): Promise<void> {
    const { tenantId, source, key } = request;
    if ((await this.grants.bySource(tx, tenantId, source)) !== null) return;
    const taken = await this.grants.byKey(tx, tenantId, key);
    const outcome = await this.grant(
      tx,
      taken === null ? request : { ...request, key: `${key} (${source})` },
      now,
    );
    invariant(outcome.status !== 'refused', 'A grant of our own is well formed');
  }

  /** Brings what is taken back of a purchase to `reversed` in all; older news than is known moves nothing. */
  async reverse(tx: Tx, { tenantId, source, reversed, version }: Reversal, now: Instant): Promise<void> {
    const found = await this.grants.bySource(tx, tenantId, source);
    if (found === null) return;
    const [open] = await this.posting.openById(tx, [found.walletId], () => now);
    invariant(open, 'The wallet of a grant is there');
    // Read again under the wallet's lock: another consumer may have been here.
    const before = (await this.grants.bySource(tx, tenantId, source))?.reversed ?? 0n;
    if (!(await this.grants.markReversed(tx, found.id, reversed, version))) return;
    const lots = lotsOf(open.draft, await this.grants.lots(tx, found.id));
    if (reversed > before) takeBack(open.draft, lots, reversed - before, source);
    else if (lots[0] !== undefined && reversed < before)
      giveBack(open.draft, lots[0], before - reversed, source);
    await this.posting.close(tx, [open], 'all');
  }

  /** Repeating it moves nothing. */
  async void(tx: Tx, tenantId: string, key: string, now: Instant): Promise<VoidGrantOutcome> {
    const grant = await this.grants.byKey(tx, tenantId, key);
    if (grant === null) return { status: 'unknown' };
    const [open] = await this.posting.openById(tx, [grant.walletId], () => now);
    invariant(open, 'The wallet of a grant is there');
    const { draft } = open;
    const status = voidGrant(
      draft,
      grant.id,
      lotsInWork(draft, await this.grants.lots(tx, grant.id)),
      grant.voidedAt !== null,
    );
    if (status !== 'voided') return { status };
    draft.wallet.recurrences.splice(
      0,
      Infinity,
      ...draft.wallet.recurrences.filter((one) => one.grantId !== grant.id),
    );
    await this.grants.markVoided(tx, grant.id, now);
    await this.posting.close(tx, [open], 'all');
    return { status };
  }
}

function newGrant(
  request: GrantRequest,
  id: string,
  walletId: bigint,
  effectiveAt: Instant,
  now: Instant,
): NewGrant {
  const { recurrence } = request;
  return {
    ...request,
    id,
    walletId,
    effectiveAt,
    createdAt: now,
    recurrence:
      recurrence === null
        ? null
        : {
            every: formatDuration(recurrence.every),
            step: recurrence.every,
            anchor: recurrence.anchor ?? effectiveAt,
            zone: recurrence.zone,
          },
  };
}

function issue(draft: WalletDraft, grant: NewGrant): void {
  const { recurrence } = grant;
  if (recurrence === null) {
    issueLot(draft, { ...grant, grantId: grant.id, grantKey: grant.key });
    return;
  }
  draft.wallet.recurrences.push({
    grantId: grant.id,
    grantKey: grant.key,
    kind: grant.kind,
    priority: grant.priority,
    features: grant.features,
    amount: grant.amount,
    every: recurrence.step,
    anchor: recurrence.anchor,
    startsAt: grant.effectiveAt,
    zone: recurrence.zone,
    endsAt: grant.expiresAt,
    rollover: grant.rollover,
    nextAt: grant.effectiveAt,
  });
  settleDue(draft);
}

/** The draft's own copies where it has them: those are what the void changes. */
function lotsInWork(draft: WalletDraft, stored: readonly Lot[]): Lot[] {
  const inWork = new Set(draft.wallet.lots.map((lot) => lot.id));
  return lotsOf(draft, stored).filter((lot) => inWork.has(lot.id) || isClosed(lot) || lot.remaining === 0n);
}

function lotsOf(draft: WalletDraft, stored: readonly Lot[]): Lot[] {
  const inWork = new Map(draft.wallet.lots.map((lot) => [lot.id, lot]));
  return stored.map((lot) => inWork.get(lot.id) ?? lot);
}
