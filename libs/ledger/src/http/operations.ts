import type { ApiTag } from '@tallygate/platform';
import {
  announcedAnswer,
  bookedEventsAnswer,
  debitAnswer,
  entriesAnswer,
  eventAnswer,
  grantAnswer,
  holdAnswer,
  identitiesAnswer,
  journalAnswer,
  quotaAnswer,
  ratingParkedAnswer,
  resolvedHoldAnswer,
  tracedEntryAnswer,
  usageAnswer,
  voidAnswer,
  walletAnswer,
  withdrawnAnswer,
} from './answers';
import { grantFaultsProblem, REFUSALS } from './refusals';

export const LEDGER_TAG: ApiTag = {
  name: 'ledger',
  description: 'Credit by wallet, included units, rated usage and the journal that proves them.',
};

/** Contracts of the ledger's routes; what they take is read from the handlers' own pipes. */
export const CREDIT = {
  grant: {
    id: 'createGrant',
    summary: 'Gives a customer credit',
    body: {
      example: { unit: 'USD', amount: '25', key: 'g1', priority: 10, expires_at: '2027-01-01T00:00:00Z' },
    },
    answer: grantAnswer,
    example: { id: '41', customer: 'acme', key: 'g1', unit: 'USD', amount: '25' },
    refusals: [
      REFUSALS.customer_unknown('acme'),
      REFUSALS.grant_key_taken(),
      grantFaultsProblem(['ends_before_start'], { expires_at: '2026-01-01T00:00:00Z' }),
    ],
  },
  void: {
    id: 'voidGrant',
    summary: 'Takes back what is left of a grant, once',
    body: { example: {}, optional: true },
    answer: voidAnswer,
    example: { key: 'g1', state: 'voided' as const },
    refusals: [REFUSALS.grant_unknown(), REFUSALS.grant_used_up(), REFUSALS.grant_expired()],
  },
  debit: {
    id: 'createDebit',
    summary: 'Withdraws credit, if there is enough',
    body: { example: { unit: 'USD', amount: '2.5', key: 'd1', feature: 'completions' } },
    answer: debitAnswer,
    example: { customer: 'acme', key: 'd1', unit: 'USD', amount: '2.5' },
    refusals: [REFUSALS.customer_unknown('acme'), REFUSALS.insufficient_credit()],
  },
  hold: {
    id: 'createHold',
    summary: 'Reserves credit until it is captured, released or expires',
    body: { example: { unit: 'USD', amount: '5', key: 'h1', ttl: '15m' } },
    answer: holdAnswer,
    example: {
      customer: 'acme',
      key: 'h1',
      unit: 'USD',
      amount: '5',
      expires_at: '2026-03-01T00:15:00Z',
      state: 'open' as const,
    },
    refusals: [REFUSALS.customer_unknown('acme'), REFUSALS.insufficient_credit(), REFUSALS.hold_key_taken()],
  },
  capture: {
    id: 'captureHold',
    summary: 'Debits a hold, in part, in full, or beyond it as a debit of its own',
    body: { example: { amount: '3' }, optional: true },
    answer: resolvedHoldAnswer,
    example: { key: 'h1', state: 'captured' as const, amount: '3' },
    refusals: [
      REFUSALS.hold_unknown(),
      REFUSALS.hold_resolved(),
      REFUSALS.hold_expired(),
      REFUSALS.insufficient_credit(),
    ],
  },
  release: {
    id: 'releaseHold',
    summary: 'Gives a hold’s credit back to its grants',
    body: { example: {}, optional: true },
    answer: resolvedHoldAnswer,
    example: { key: 'h1', state: 'released' as const },
    refusals: [REFUSALS.hold_unknown(), REFUSALS.hold_resolved(), REFUSALS.hold_expired()],
  },
};

export const QUOTA = {
  reset: {
    id: 'resetQuota',
    summary: 'Begins a feature’s included units anew',
    description: 'Usage from `at` on counts in the new period, also when it is known already.',
    body: { example: { keep_overage: false, keep_anchor: true } },
    answer: quotaAnswer,
    example: {
      customer: 'acme',
      feature: 'completions',
      period_start: '2026-03-10T12:00:00Z',
      period_end: '2026-04-01T00:00:00Z',
      used: '0',
      included: '1000',
    },
    refusals: [
      REFUSALS.customer_unknown('acme'),
      REFUSALS.quota_unknown(),
      REFUSALS.reset_in_future(),
      REFUSALS.reset_before_period(),
      REFUSALS.reset_repeated(),
    ],
  },
};

export const WALLET = {
  wallet: {
    id: 'getWallet',
    summary: 'A customer’s credit in one unit, now or at a past instant',
    description: '`at`: by effect, as known now; `known_at`: as it was posted by then.',
    answer: walletAnswer,
    example: {
      customer: 'acme',
      unit: 'USD',
      at: '2026-03-01T00:00:00Z',
      available: '22.5',
      held: '0',
      debt: '0',
      grants: [
        {
          key: 'g1',
          remaining: '22.5',
          held: '0',
          status: 'active' as const,
          amount: '25',
          priority: 10,
          kind: 'promotional' as const,
          effective_at: '2026-03-01T00:00:00Z',
          expires_at: '2027-01-01T00:00:00Z',
          features: null,
        },
      ],
    },
    refusals: [REFUSALS.customer_unknown('acme')],
  },
  entries: {
    id: 'getStatement',
    summary: 'A wallet’s entries posted in [from, to), with the balances before and after',
    answer: entriesAnswer,
    example: {
      customer: 'acme',
      unit: 'USD',
      opening: '0',
      closing: '25',
      entries: [
        {
          version: 1,
          at: '2026-03-01T00:00:00Z',
          effective_at: '2026-03-01T00:00:00Z',
          kind: 'grant' as const,
          amount: '25',
          held: '0',
          grant: 'g1',
          feature: null,
          reference: 'g1',
          balance: '25',
        },
      ],
    },
    otherTypes: {
      'text/csv':
        'version,at,effective_at,kind,amount,held,balance,grant,feature,reference\r\n,,,opening,,,0,,,\r\n,,,closing,,,0,,,\r\n',
    },
    refusals: [REFUSALS.customer_unknown('acme')],
  },
  journal: {
    id: 'verifyJournal',
    summary: 'Whether the tenant’s books are right, recomputed from the journal',
    answer: journalAnswer,
    example: {
      balanced: true,
      chain: 'valid' as const,
      sealed_rows: 1200,
      open_rows: 3,
      head: { seal: 12, hash: 'f'.repeat(64), sealed_at: '2026-03-01T00:00:00Z' },
      fault: null,
    },
  },
};

export const USAGE = {
  read: {
    id: 'queryUsage',
    summary: 'Metered usage of a customer: one value, or rows by window and group',
    answer: usageAnswer,
    example: { customer: 'acme', meter: 'tokens', value: '1250' },
    otherTypes: { 'text/csv': 'start,end,group.model,value\r\n' },
    refusals: [
      REFUSALS.customer_unknown('acme'),
      REFUSALS.meter_unknown(),
      REFUSALS.too_many_windows(60_000),
    ],
  },
  parked: {
    id: 'listRatingParked',
    summary: 'Usage that waits for a price that matches it',
    answer: ratingParkedAnswer,
    example: {
      parked: [
        {
          id: 'e1',
          code: 'price_missing',
          source: 'gateway-1',
          feature: 'completions',
          time: '2026-03-01T00:00:00Z',
        },
      ],
    },
  },
  identities: {
    id: 'knownIdentities',
    summary: 'Which of these events are stored, with the hashes of their payloads',
    body: { example: { identities: ['9b871512327c09ce91dd649b3f96a63b'] } },
    answer: identitiesAnswer,
    example: { known: [{ identity: '9b871512327c09ce91dd649b3f96a63b', payloadHash: 'f'.repeat(32) }] },
  },
};

const ANNOUNCED = {
  id: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b9b',
  tenantId: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99',
};

/** Between billing and the ledger. */
export const PRICES = {
  announce: {
    id: 'announcePrices',
    summary: 'Whether price rows may be stated; they hold back what they would change until they are',
    body: {
      example: {
        ...ANNOUNCED,
        revision: 3,
        rows: [{ key: 'token_price', unit: 'USD', model: 'per_unit', amount: '0.0025' }],
      },
    },
    answer: announcedAnswer,
    example: { outcome: 'announced' as const },
  },
  withdraw: {
    id: 'withdrawPrices',
    summary: 'Forgets an announcement that was not stated after all',
    body: { example: ANNOUNCED },
    answer: withdrawnAnswer,
    example: { withdrawn: ANNOUNCED.id },
  },
};

/** From a statement's row to its events, and back. */
export const ATTRIBUTION = {
  entry: {
    id: 'getEntry',
    summary: 'One entry of a statement and the events behind it',
    answer: tracedEntryAnswer,
    example: {
      customer: 'acme',
      unit: 'USD',
      version: 2,
      at: '2026-03-01T00:00:01Z',
      effective_at: '2026-03-01T00:00:00Z',
      kind: 'usage' as const,
      amount: '-2.5',
      grant: 'g1',
      feature: 'completions',
      reference: null,
      events: [{ source: 'gateway-1', id: 'e1', time: '2026-03-01T00:00:00Z', amount: '-2.5' }],
    },
    refusals: [REFUSALS.customer_unknown('acme'), REFUSALS.entry_unknown()],
  },
  event: {
    id: 'getBookedEvent',
    summary: 'One event: what it counts, what it cost, from which credit, and what became of it',
    answer: eventAnswer,
    example: {
      source: 'gateway-1',
      id: 'e1',
      customer: 'acme',
      time: '2026-03-01T00:00:00Z',
      state: 'booked' as const,
      readings: [{ meter: 'tokens', value: '1250', group: { model: 'm1' } }],
      charges: [
        {
          feature: 'completions',
          unit: 'USD',
          amount: '2.5',
          debt: '0',
          grants: [{ grant: 'g1', amount: '2.5', repaid: false }],
          entries: [{ version: 2, kind: 'usage' as const, grant: 'g1', amount: '-2.5' }],
        },
      ],
      corrections: [],
    },
    refusals: [REFUSALS.event_unknown()],
  },
  booked: {
    id: 'bookedEvents',
    summary: 'These events as they stand, for corrections',
    body: {
      example: {
        tenantId: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99',
        identities: [{ source: 'gateway-1', id: 'e1' }],
      },
    },
    answer: bookedEventsAnswer,
    example: { events: [] },
  },
};
