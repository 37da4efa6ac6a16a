import { Injectable } from '@nestjs/common';
import { Ids } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Outbox } from '@tallygate/platform';
import type { OutboxRecord, Tx } from '@tallygate/platform';
import { draftOf, flipStateOf, settleDue } from '../domain';
import type { WalletDraft, WalletKey } from '../domain';
import { balanceChanged, lotChanged } from './ledger-facts';
import { WalletStore } from './wallet-store';
import type { LockedWallet } from './wallet-store';

/** A wallet under its lock, brought up to the tenant's now, and how it looked to a gate before. */
export interface OpenWallet {
  readonly locked: LockedWallet;
  readonly draft: WalletDraft;
  readonly before: string;
}

/** What leaves beside what a gate would decide differently; the rest is gathered. */
export type Publishing = 'all' | ((draft: WalletDraft) => boolean);

/**
 * The one way to change wallets: lock them in order, let pass what was due, work on the drafts, write them and their
 * facts. Every use case that moves credit goes through here.
 */
@Injectable()
export class WalletPosting {
  constructor(
    private readonly wallets: WalletStore,
    private readonly outbox: Outbox,
    private readonly ids: Ids,
  ) {}

  /** @returns the wallets in the order of the keys; those that are missing are made */
  async open(
    tx: Tx,
    keys: readonly WalletKey[],
    nowOf: (tenantId: string) => Instant,
  ): Promise<readonly OpenWallet[]> {
    return this.openById(tx, await this.wallets.ensure(tx, keys), nowOf);
  }

  async openById(
    tx: Tx,
    ids: readonly bigint[],
    nowOf: (tenantId: string) => Instant,
  ): Promise<readonly OpenWallet[]> {
    const locked = await this.wallets.lock(tx, [...new Set(ids)]);
    const open = new Map(
      [...locked].map(([id, wallet]) => [id, this.begin(wallet, nowOf(wallet.wallet.tenantId))]),
    );
    return ids.flatMap((id) => open.get(id) ?? []);
  }

  /** @returns the wallets whose facts do not leave: to be gathered after the commit */
  async close(
    tx: Tx,
    open: readonly OpenWallet[],
    publishing: Publishing,
    sliceId: bigint | null = null,
  ): Promise<readonly OpenWallet[]> {
    const leaves = publishing === 'all' ? () => true : publishing;
    const work = open.map(({ locked, draft, before }) => {
      const published = leaves(draft) || this.flipped({ draft, before });
      return { locked, draft, before, published };
    });
    await this.wallets.save(tx, work, sliceId);
    await this.outbox.add(
      tx,
      work.flatMap((one) => this.factsOf(one, one.published)),
    );
    return work.filter((one) => !one.published);
  }

  private begin(locked: LockedWallet, now: Instant): OpenWallet {
    const before = flipStateOf(locked.wallet, now);
    const draft = draftOf(locked.wallet, now, () => this.ids.next());
    settleDue(draft);
    return { locked, draft, before };
  }

  private flipped({ draft, before }: Pick<OpenWallet, 'draft' | 'before'>): boolean {
    return flipStateOf(draft.wallet, draft.now) !== before;
  }

  /** With a wallet all its lots that end are told: those that earlier transactions touched were only gathered. */
  private factsOf({ draft, locked }: OpenWallet, published: boolean): OutboxRecord[] {
    const { wallet, now } = draft;
    const revision = locked.revision + 1;
    const touched = [...draft.touchedLots].filter((lot) => draft.issued.has(lot) || lot.remaining === 0n);
    const ending = published
      ? [...wallet.lots, ...draft.touchedLots].filter((lot) => lot.expiresAt !== null)
      : [];
    const lots = [...new Set([...touched, ...ending])];
    const facts = lots.map((lot) => lotChanged(this.ids.next(), wallet, lot, now, revision));
    return published ? [balanceChanged(this.ids.next(), wallet, now, revision), ...facts] : facts;
  }
}
