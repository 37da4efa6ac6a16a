import { Controller, Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import type { MeteredEvent } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { formatAmount, formatInstant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, Database, Operation, wholeNumber, ZodBody } from '@tallygate/platform';
import type { Principal, Tx } from '@tallygate/platform';
import { statementAmount } from '../domain';
import { Attribution } from '../service/attribution.service';
import type { ChargeAccount, EventAccount, EventShare, TracedEntry } from '../service/attribution.service';
import { CorrectionStore } from '../service/correction-store';
import type { EventRow, StoredCorrection } from '../service/correction-store';
import { UsageStore } from '../service/usage-store';
import { WalletStore } from '../service/wallet-store';
import { ATTRIBUTION, LEDGER_TAG } from './operations';
import { REFUSALS } from './refusals';
import { unit as unitText } from './requests';
import { Customers } from './customers';

const eventQuery = z.strictObject({ source: z.string().min(1), id: z.string().min(1) });
const versionParam = wholeNumber(1, 999_999_999);

/** From a statement's row to its events, and back. */
@Api(LEDGER_TAG)
@Controller('v1')
export class AttributionController {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly attribution: Attribution,
    private readonly wallets: WalletStore,
    private readonly usage: UsageStore,
    private readonly events: CorrectionStore,
    private readonly customers: Customers,
  ) {}

  /** One row of a statement and the events behind it. */
  @Get('customers/:customer/wallets/:unit/entries/:version')
  @Operation(ATTRIBUTION.entry)
  async entry(
    @CurrentPrincipal() { tenantId }: Principal,
    @Param('customer') customerKey: string,
    @Param('unit', new ZodBody(unitText)) unit: string,
    @Param('version', new ZodBody(versionParam)) version: number,
  ): Promise<unknown> {
    const customer = await this.customers.byKey(tenantId, customerKey);
    const found = await this.database.asTenant(tenantId, async (tx) => {
      const id = await this.wallets.find(tx, { tenantId, customerId: customer.id, unit });
      return id === null ? null : this.attribution.entry(tx, id, version);
    });
    if (found === null) throw REFUSALS.entry_unknown();
    return { customer: customerKey, unit, ...entryView(found) };
  }

  /** One event: what it counts, what it cost, from which credit, what it owes and what became of it. */
  @Get('usage/event')
  @Operation(ATTRIBUTION.event)
  async event(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query(new ZodBody(eventQuery)) { source, id }: z.output<typeof eventQuery>,
  ): Promise<unknown> {
    const [named] = this.usage.identify([{ tenantId, source, id } as MeteredEvent]);
    return this.database.asTenant(tenantId, async (tx) => {
      const account = await this.attribution.event(tx, tenantId, named?.identity ?? '');
      if (account === null) throw REFUSALS.event_unknown();
      return this.eventView(tx, tenantId, account);
    });
  }

  private async eventView(
    tx: Tx,
    tenantId: string,
    { event, state, charges }: EventAccount,
  ): Promise<unknown> {
    const customer = await this.directory.customerById(tx, tenantId, event.customerId);
    const lots = charges.flatMap(({ entries, draws }) => [...entries, ...draws]);
    const ids = new Set(lots.flatMap(({ lotId }) => (lotId === null ? [] : [lotId])));
    const grants = new Map((await this.events.lots(tx, [...ids])).map((lot) => [lot.id, lot.grantKey]));
    return {
      source: event.source,
      id: event.id,
      customer: customer?.key ?? null,
      time: formatInstant(event.occurredAt),
      state,
      readings: event.rows.filter((row) => row.meter !== null).map(readingView),
      charges: charges.map((charge) => chargeView(charge, grants)),
      corrections: event.corrections.map(correctionView),
    };
  }
}

function readingView({ meter, quantity, value, group }: EventRow) {
  return { meter, value: quantity === null ? value : formatAmount(quantity), group };
}

function correctionView({ kind, applied, source, id, postedAt }: StoredCorrection) {
  return { kind, applied, source, id, at: formatInstant(postedAt) };
}

function entryView({ row, events }: TracedEntry) {
  return {
    version: row.version,
    at: formatInstant(row.postedAt),
    effective_at: formatInstant(row.effectiveAt),
    kind: row.kind,
    amount: formatAmount(statementAmount(row)),
    grant: row.grant,
    feature: row.feature,
    reference: row.reference,
    events: events.map(shareView),
  };
}

function shareView({ source, id, occurredAt, amount }: EventShare) {
  return { source, id, time: formatInstant(occurredAt), amount: formatAmount(amount) };
}

function chargeView(
  { feature, unit, amount, owed, entries, draws }: ChargeAccount,
  grants: ReadonlyMap<string, string>,
) {
  const grantOf = (lotId: string | null) => (lotId === null ? null : (grants.get(lotId) ?? null));
  const held = draws.map(({ lotId, amount: drawn, debtId }) => {
    return { grant: grantOf(lotId), amount: formatAmount(drawn), repaid: debtId !== null };
  });
  const rows = entries.map(({ version, kind, lotId, amount: moved }) => {
    return { version, kind, grant: grantOf(lotId), amount: formatAmount(moved) };
  });
  return {
    feature,
    unit,
    amount: formatAmount(amount),
    debt: formatAmount(owed),
    grants: held,
    entries: rows,
  };
}
