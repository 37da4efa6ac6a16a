import { Injectable } from '@nestjs/common';
import { addMicros, invariant } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import type { Tx } from '@tallygate/platform';
import { capture, debit, release, reserve } from '../domain';
import type { DebitOutcome, Hold, WalletKey } from '../domain';
import { HoldStore } from './hold-store';
import type { StoredHold } from './hold-store';
import { SpendCaps } from './spend-caps.service';
import { WalletPosting } from './wallet-posting';
import type { OpenWallet } from './wallet-posting';

export interface HoldRequest extends WalletKey {
  readonly key: string;
  readonly amount: Nano;
  readonly ttlMicros: number;
  readonly feature: string | null;
}

export type HoldOutcome =
  | { readonly status: 'reserved'; readonly hold: Hold }
  | { readonly status: 'insufficient_credit' }
  | { readonly status: 'key_taken' };

export type ResolveOutcome =
  | { readonly status: 'captured' | 'released'; readonly hold: Hold }
  | { readonly status: 'already_resolved' | 'hold_expired' | 'insufficient_credit' | 'unknown' };

export interface DebitRequest extends WalletKey {
  readonly key: string;
  readonly amount: Nano;
  readonly feature: string | null;
}

/** Credit that is asked for before it is served: debits, and holds until they resolve. What is refused writes nothing. */
@Injectable()
export class Holds {
  constructor(
    private readonly holds: HoldStore,
    private readonly posting: WalletPosting,
    private readonly caps: SpendCaps,
  ) {}

  async debit(tx: Tx, request: DebitRequest, now: Instant): Promise<DebitOutcome> {
    const caps = await this.caps.lock(tx, request, now);
    const open = await this.openOne(tx, request, now);
    const outcome = debit(open.draft, { ...request, reference: request.key });
    if (outcome !== 'debited') return outcome;
    await this.posting.close(tx, [open], 'all');
    await this.caps.spend(tx, caps, request.amount, now);
    return outcome;
  }

  async reserve(tx: Tx, request: HoldRequest, now: Instant): Promise<HoldOutcome> {
    const open = await this.openOne(tx, request, now);
    if ((await this.holds.find(tx, request.tenantId, request.key)) !== null) return { status: 'key_taken' };
    const outcome = reserve(open.draft, { ...request, expiresAt: addMicros(now, request.ttlMicros) });
    if (outcome.status === 'reserved') await this.posting.close(tx, [open], 'all');
    return outcome;
  }

  /** @param amount null: all that is held */
  async capture(
    tx: Tx,
    tenantId: string,
    key: string,
    amount: Nano | null,
    now: Instant,
  ): Promise<ResolveOutcome> {
    const found = await this.holds.find(tx, tenantId, key);
    if (found === null) return { status: 'unknown' };
    const caps = await this.caps.lock(tx, found, now);
    const taken = amount ?? found.amount;
    const outcome = await this.resolve(tx, found, key, now, (open, hold) => capture(open.draft, hold, taken));
    if (outcome.status === 'captured') await this.caps.spend(tx, caps, taken, now);
    return outcome;
  }

  async release(tx: Tx, tenantId: string, key: string, now: Instant): Promise<ResolveOutcome> {
    const found = await this.holds.find(tx, tenantId, key);
    if (found === null) return { status: 'unknown' };
    return this.resolve(tx, found, key, now, (open, hold) => release(open.draft, hold));
  }

  private async resolve(
    tx: Tx,
    found: StoredHold,
    key: string,
    now: Instant,
    act: (open: OpenWallet, hold: Hold) => Exclude<ResolveOutcome['status'], 'unknown'>,
  ): Promise<ResolveOutcome> {
    const [open] = await this.posting.openById(tx, [found.walletId], () => now);
    invariant(open, 'The wallet of a hold is there');
    const hold = open.draft.wallet.holds.find((one) => one.key === key);
    // Not among the open ones: it was resolved, perhaps since it was looked up.
    if (hold === undefined) return { status: await this.endOf(tx, found.tenantId, key) };
    const status = act(open, hold);
    if (status !== 'captured' && status !== 'released') return { status };
    await this.posting.close(tx, [open], 'all');
    return { status, hold };
  }

  private async endOf(tx: Tx, tenantId: string, key: string): Promise<'already_resolved' | 'hold_expired'> {
    const found = await this.holds.find(tx, tenantId, key);
    return found?.state === 'expired' ? 'hold_expired' : 'already_resolved';
  }

  private async openOne(tx: Tx, key: WalletKey, now: Instant): Promise<OpenWallet> {
    const [open] = await this.posting.open(tx, [key], () => now);
    invariant(open, 'A wallet asked for is opened');
    return open;
  }
}
