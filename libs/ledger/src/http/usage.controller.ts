import { Body, Controller, Get, HttpCode, Post, Query, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import type { MeteredEvent } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { formatInstant } from '@tallygate/kernel';
import { CurrentPrincipal, Database, InternalGuard, problem, TenantTime, ZodBody } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { CorrectionStore } from '../service/correction-store';
import { ParkedStore } from '../service/rating-facts';
import { UsageQuery } from '../service/usage-query.service';
import type { UsageResult } from '../service/usage-query.service';
import { UsageStore } from '../service/usage-store';
import { Customers } from './customers';
import { identitiesBody, usageQuery } from './requests';

/** Usage as metered, and what waits for a price. */
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
  async read(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query(new ZodBody(usageQuery)) asked: z.output<typeof usageQuery>,
  ): Promise<unknown> {
    const customer = await this.customers.byKey(tenantId, asked.customer);
    const now = await this.time.now(tenantId);
    return this.database.asTenant(tenantId, async (tx) => {
      const catalog = await this.directory.catalog(tx, tenantId);
      const meter = catalog?.catalog.meters.find((one) => one.key === asked.meter);
      if (meter === undefined) throw problem(404, 'meter_unknown', 'No such meter');
      const result = await this.query.ask(
        tx,
        {
          tenantId,
          customerId: customer.id,
          meter,
          from: asked.from ?? null,
          to: asked.to ?? null,
          window: asked.window ?? null,
          zone: asked.timezone ?? customer.timezone,
          groupBy: asked.group_by,
        },
        now,
      );
      return usageView(asked, result);
    });
  }

  @Get('v1/rating/parked')
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
  @UseGuards(InternalGuard)
  @HttpCode(200)
  async identities(
    @Body(new ZodBody(identitiesBody)) { tenantId, identities }: z.output<typeof identitiesBody>,
  ): Promise<unknown> {
    const asked = this.usage.identify(identities.map((one) => ({ tenantId, ...one }) as MeteredEvent));
    const known = await this.database.asTenant(tenantId, (tx) =>
      this.usage.known(
        tx,
        asked.map((one) => one.identity),
      ),
    );
    return {
      known: asked.flatMap(({ event, identity }) => {
        const payloadHash = known.get(identity);
        return payloadHash === undefined ? [] : [{ source: event.source, id: event.id, payloadHash }];
      }),
    };
  }
}

/** What corrections ask about booked events before they are handed on. */
@Controller('internal')
@UseGuards(InternalGuard)
export class BookedEventsController {
  constructor(
    private readonly database: Database,
    private readonly usage: UsageStore,
    private readonly store: CorrectionStore,
  ) {}

  @Post('booked-events')
  @HttpCode(200)
  async find(
    @Body(new ZodBody(identitiesBody)) { tenantId, identities }: z.output<typeof identitiesBody>,
  ): Promise<unknown> {
    const asked = this.usage.identify(identities.map((one) => ({ tenantId, ...one }) as MeteredEvent));
    const names = asked.map((one) => one.identity);
    return { events: await this.database.asTenant(tenantId, (tx) => this.store.booked(tx, tenantId, names)) };
  }
}

function usageView(asked: z.output<typeof usageQuery>, result: UsageResult): unknown {
  const { customer, meter } = asked;
  switch (result.kind) {
    case 'value':
      return { customer, meter, value: result.value };
    case 'rows':
      return {
        customer,
        meter,
        rows: result.rows.map((row) => ({
          start: formatInstant(row.start),
          end: formatInstant(row.end),
          value: row.value,
          group: row.group,
        })),
      };
    case 'too_many_windows':
      throw problem(422, 'too_many_windows', `${result.count} windows are more than one answer may have`);
  }
}
