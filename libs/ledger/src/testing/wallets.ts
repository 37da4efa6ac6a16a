import { NANO } from '@tallygate/kernel';
import type { Instant, Nano } from '@tallygate/kernel';
import { burnOrder, draftOf } from '../domain';
import type { Entry, Lot, Wallet, WalletDraft } from '../domain';

export const units = (count: number): Nano => BigInt(Math.round(count * 1000)) * (NANO / 1000n);
export const hour = (count: number): Instant => (count * 3_600_000_000) as Instant;

/** A wallet of an hour's lateness that starts at hour 0 with nothing. */
export function emptyWallet(fields: Partial<Wallet> = {}): Wallet {
  return {
    id: 1n,
    tenantId: 't',
    customerId: 'c',
    unit: 'USD',
    version: 0,
    lots: [],
    debts: [],
    holds: [],
    recurrences: [],
    overdraft: 0n,
    latenessMicros: hour(1),
    lastExpiryAt: null,
    lastCreditAt: null,
    ...fields,
  };
}

export function lotOf(fields: Partial<Lot> & { readonly id: string }): Lot {
  return {
    grantId: `grant-${fields.id}`,
    grantKey: fields.id,
    kind: 'promotional',
    priority: 100,
    effectiveAt: hour(0),
    expiresAt: null,
    features: null,
    amount: fields.remaining ?? units(10),
    remaining: units(10),
    held: 0n,
    state: 'live',
    ...fields,
  };
}

export function walletOf(...lots: Lot[]): Wallet {
  return emptyWallet({ lots: [...lots].sort(burnOrder) });
}

/** Ids that count up in text order. */
export function counting(prefix = ''): () => string {
  let count = 0;
  return () => `${prefix}${String((count += 1)).padStart(6, '0')}`;
}

export function work(wallet: Wallet, now: Instant, newId = counting()): WalletDraft {
  return draftOf(wallet, now, newId);
}

/** kind, lot, amount as on a statement. */
export function rowsOf(entries: readonly Entry[]): [string, string | null, number][] {
  return entries.map((entry) => [
    entry.kind,
    entry.grantKey,
    Number(entry.lotId === null ? -entry.debt : entry.free) / 1e9,
  ]);
}

export function remainingOf(wallet: Wallet): Record<string, number> {
  return Object.fromEntries(wallet.lots.map((lot) => [lot.grantKey, Number(lot.remaining) / 1e9]));
}
