import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, Database, Operation, TenantTime, ZodBody } from '@tallygate/platform';
import type { Principal, Tx } from '@tallygate/platform';
import type { GrantView } from '../domain';
import { JournalProof } from '../service/journal-proof';
import type { JournalProofOfTenant } from '../service/journal-proof';
import { WalletReadings } from '../service/wallet-reading';
import type { StatementRow, WalletReading } from '../service/wallet-reading';
import { WalletStore } from '../service/wallet-store';
import { Customers } from './customers';
import { LEDGER_TAG, WALLET } from './operations';
import { entriesQuery, unit as unitText, walletQuery } from './requests';
import { statementCsv } from './statement-csv';

const EMPTY: WalletReading = { available: 0n, held: 0n, debt: 0n, grants: [] };

/** Balances and statements. */
@Api(LEDGER_TAG)
@Controller('v1')
export class WalletsController {
  constructor(
    private readonly database: Database,
    private readonly wallets: WalletStore,
    private readonly readings: WalletReadings,
    private readonly customers: Customers,
    private readonly time: TenantTime,
    private readonly proof: JournalProof,
  ) {}

  /** As it is, or by effect at a past instant, as known now or by another instant. */
  @Get('customers/:customer/wallets/:unit')
  @Operation(WALLET.wallet)
  async wallet(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('customer') customer: string,
    @Param('unit', new ZodBody(unitText)) unit: string,
    @Query(new ZodBody(walletQuery)) query: z.output<typeof walletQuery>,
  ): Promise<unknown> {
    const now = await this.time.now(tenantId);
    const reading = await this.inWallet(tenantId, customer, unit, EMPTY, (tx, id) =>
      query.at === undefined && query.known_at === undefined
        ? this.readings.now(tx, id, now)
        : this.readings.past(tx, id, query.at ?? now, query.known_at ?? now),
    );
    return walletView(customer, unit, reading, query.at ?? now);
  }

  /** What was there before a period, what was posted in it, and what was there after it. */
  @Get('customers/:customer/wallets/:unit/entries')
  @Operation(WALLET.entries)
  async entries(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('customer') customer: string,
    @Param('unit', new ZodBody(unitText)) unit: string,
    @Query(new ZodBody(entriesQuery)) query: z.output<typeof entriesQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const empty = { opening: 0n, closing: 0n, entries: [] };
    const statement = await this.inWallet(tenantId, customer, unit, empty, (tx, id) =>
      this.readings.statement(tx, id, query.from ?? null, query.to ?? null),
    );
    if (query.format === 'csv') {
      void reply.type('text/csv; charset=utf-8');
      return statementCsv(statement);
    }
    return {
      customer,
      unit,
      opening: formatAmount(statement.opening),
      closing: formatAmount(statement.closing),
      entries: statement.entries.map(entryView),
    };
  }

  /** Whether the books of the tenant are right, recomputed from the journal. */
  @Get('journal')
  @Operation(WALLET.journal)
  async journal(@CurrentPrincipal() { tenantId }: Principal): Promise<unknown> {
    return journalView(await this.proof.of(tenantId));
  }

  /** A customer that never had credit in the unit has an empty wallet. */
  private async inWallet<T>(
    tenantId: string,
    customerKey: string,
    unit: string,
    empty: T,
    read: (tx: Tx, walletId: bigint) => Promise<T>,
  ): Promise<T> {
    const customer = await this.customers.byKey(tenantId, customerKey);
    return this.database.asTenant(tenantId, async (tx) => {
      const id = await this.wallets.find(tx, { tenantId, customerId: customer.id, unit });
      return id === null ? empty : read(tx, id);
    });
  }
}

function journalView({ balanced, whole, chain }: JournalProofOfTenant) {
  const { head, fault } = chain;
  return {
    balanced,
    chain: whole ? 'valid' : 'broken',
    sealed_rows: Number(chain.sealedRows),
    open_rows: Number(chain.openRows),
    head: head && { seal: Number(head.seq), hash: head.hash, sealed_at: formatInstant(head.sealedAt) },
    fault: fault && {
      customer: fault.wallet?.customer ?? null,
      unit: fault.wallet?.unit ?? null,
      version: fault.version === null ? null : Number(fault.version),
      seal: fault.seal === null ? null : Number(fault.seal),
      differs: fault.differs,
    },
  };
}

function walletView(customer: string, unit: string, reading: WalletReading, at: Instant) {
  return {
    customer,
    unit,
    at: formatInstant(at),
    available: formatAmount(reading.available),
    held: formatAmount(reading.held),
    debt: formatAmount(reading.debt),
    grants: reading.grants.map(grantView),
  };
}

function grantView(grant: GrantView) {
  return {
    key: grant.key,
    remaining: formatAmount(grant.remaining),
    held: formatAmount(grant.held),
    status: grant.status,
    amount: formatAmount(grant.amount),
    priority: grant.priority,
    kind: grant.kind,
    effective_at: formatInstant(grant.effectiveAt),
    expires_at: grant.expiresAt === null ? null : formatInstant(grant.expiresAt),
    features: grant.features,
  };
}

function entryView(row: StatementRow) {
  return {
    version: Number(row.version),
    at: formatInstant(row.at),
    effective_at: formatInstant(row.effectiveAt),
    kind: row.kind,
    amount: formatAmount(row.amount),
    held: formatAmount(row.held),
    grant: row.grant,
    feature: row.feature,
    reference: row.reference,
    balance: formatAmount(row.balance),
  };
}
