import { Body, Controller, Get, HttpCode, Post, Query, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { CustomerFacts, MeteredEvent } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { formatInstant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, Database, InternalGuard, Operation } from '@tallygate/platform';
import { TenantTime, ZodBody } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { CorrectionStore } from '../service/correction-store';
import { ParkedStore } from '../service/rating-facts';
import { UsageQuery } from '../service/usage-query.service';
import type { UsageRequest, UsageResult } from '../service/usage-query.service';
import { UsageStore } from '../service/usage-store';
import { csvOf } from './csv';
import { Customers } from './customers';
import { ATTRIBUTION, LEDGER_TAG, USAGE } from './operations';
import { REFUSALS } from './refusals';
import { bookedEventsBody, cursorText, identitiesBody, usageQuery } from './requests';

/** Usage as metered, and what waits for a price. */
@Api(LEDGER_TAG)
@Controller()
export class UsageController {
  constructor(
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly query: UsageQuery,
    private readonly usage: UsageStore,
    private readonly parked: ParkedStore,
    private readonly customers: Customers,
    private readonly time: TenantTime,
  ) {}

  @Get('v1/usage')
  @Operation(USAGE.read)
  async read(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query(new ZodBody(usageQuery)) asked: z.output<typeof usageQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<unknown> {
    const result = await this.usageOf(tenantId, asked);
    if (asked.format === 'json') return usageView(asked, result);
    void reply.header('content-type', 'text/csv; charset=utf-8');
    const next = nextOf(result);
    // The next page is this request with another cursor.
    if (next !== null) void reply.header('tallygate-cursor', next);
    return usageTable(asked, result);
  }

  private async usageOf(tenantId: string, asked: z.output<typeof usageQuery>): Promise<Answered> {
    const customer = await this.customers.byKey(tenantId, asked.customer);
    const now = await this.time.now(tenantId);
    return this.database.asTenant(tenantId, async (tx) => {
      const catalog = await this.directory.catalog(tx, tenantId);
      const meter = catalog?.catalog.meters.find((one) => one.key === asked.meter);
      if (meter === undefined) throw REFUSALS.meter_unknown();
      const request = requestOf(asked, customer);
      const result = await this.query.ask(tx, { ...request, tenantId, meter }, now);
      if (result.kind !== 'too_many_windows') return result;
      throw REFUSALS.too_many_windows(result.count);
    });
  }

  @Get('v1/rating/parked')
  @Operation(USAGE.parked)
  async listParked(@CurrentPrincipal() { tenantId }: Principal): Promise<unknown> {
    const parked = await this.database.asTenant(tenantId, (tx) => this.parked.list(tx, tenantId));
    return {
      parked: parked.map((one) => ({
        id: one.eventId,
        code: one.code,
        source: one.source,
        feature: one.feature,
        time: formatInstant(one.occurredAt),
      })),
    };
  }

  /** Which of these identities are stored, with their payloads: how ingestion answers a conflict where somebody listens. */
  @Post('internal/identities')
  @Operation(USAGE.identities)
  @UseGuards(InternalGuard)
  @HttpCode(200)
  async identities(
    @Body(new ZodBody(identitiesBody)) { identities }: z.output<typeof identitiesBody>,
  ): Promise<unknown> {
    const known = await this.database.asWorker((tx) => this.usage.known(tx, identities));
    return { known: [...known].map(([identity, payloadHash]) => ({ identity, payloadHash })) };
  }
}

/** What corrections ask about booked events before they are handed on. */
@Api(LEDGER_TAG)
@Controller('internal')
@UseGuards(InternalGuard)
export class BookedEventsController {
  constructor(
    private readonly database: Database,
    private readonly usage: UsageStore,
    private readonly store: CorrectionStore,
  ) {}

  @Post('booked-events')
  @Operation(ATTRIBUTION.booked)
  @HttpCode(200)
  async find(
    @Body(new ZodBody(bookedEventsBody)) { tenantId, identities }: z.output<typeof bookedEventsBody>,
  ): Promise<unknown> {
    const asked = this.usage.identify(identities.map((one) => ({ tenantId, ...one }) as MeteredEvent));
    const names = asked.map((one) => one.identity);
    return { events: await this.database.asTenant(tenantId, (tx) => this.store.booked(tx, tenantId, names)) };
  }
}

type Answered = Exclude<UsageResult, { readonly kind: 'too_many_windows' }>;
type Asked = z.output<typeof usageQuery>;

function requestOf(asked: Asked, customer: CustomerFacts): Omit<UsageRequest, 'tenantId' | 'meter'> {
  return {
    customerId: customer.id,
    from: asked.from ?? null,
    to: asked.to ?? null,
    window: asked.window ?? null,
    zone: asked.timezone ?? customer.timezone,
    groupBy: asked.group_by,
    filter: asked.filter,
    limit: asked.limit,
    after: asked.cursor ?? null,
  };
}

function usageView({ customer, meter }: Asked, result: Answered): unknown {
  if (result.kind === 'value') return { customer, meter, value: result.value };
  const rows = result.rows.map(({ start, end, value, group }) => ({
    start: formatInstant(start),
    end: formatInstant(end),
    value,
    group,
  }));
  return { customer, meter, rows, next: nextOf(result) };
}

function nextOf(result: Answered): string | null {
  return result.kind === 'rows' && result.next !== null ? cursorText(result.next) : null;
}

/** A group's column has its name under `group.`, so that no group can be taken for another column. */
function usageTable({ group_by: groups }: Asked, result: Answered): string {
  if (result.kind === 'value') return csvOf(['value'], [[result.value]]);
  const columns = ['start', 'end', ...groups.map((key) => `group.${key}`), 'value'];
  const rows = result.rows.map(({ start, end, group, value }) => [
    formatInstant(start),
    formatInstant(end),
    ...groups.map((key) => group[key] ?? null),
    value,
  ]);
  return csvOf(columns, rows);
}
