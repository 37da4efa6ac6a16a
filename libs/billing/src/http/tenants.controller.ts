import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import type { TenantSettings } from '@tallygate/contracts';
import { Api, InternalGuard, KeyDirectory, Operation, RequireScope, RootOnly } from '@tallygate/platform';
import { ZodBody } from '@tallygate/platform';
import type { z } from 'zod';
import { AuditTrail } from '../service/audit-trail.service';
import type { Caller } from '../service/tenant-session';
import { Tenants } from '../service/tenants.service';
import { CurrentCaller } from './caller';
import { BILLING_TAG, TENANTS } from './operations';
import { notFound } from './refusals';
import { apiKeyBody, introspectBody, limitQuery, tenantBody } from './requests';
import { tenantView } from './views';

/** Providers and their keys. */
@Api(BILLING_TAG)
@Controller('v1')
export class TenantsController {
  constructor(
    private readonly tenants: Tenants,
    private readonly audit: AuditTrail,
  ) {}

  @Post('tenants')
  @Operation(TENANTS.create)
  @RootOnly()
  async create(@Body(new ZodBody(tenantBody)) body: z.output<typeof tenantBody>) {
    const { settings, clock, ...rest } = body;
    const { tenant, key } = await this.tenants.create({
      ...rest,
      clock: clock ?? null,
      settings: settingsOf(settings),
    });
    return { ...tenantView(tenant), api_key: key.secret, api_key_id: key.id };
  }

  @Get('tenant')
  @Operation(TENANTS.show)
  async show(@CurrentCaller() caller: Caller) {
    return tenantView(await this.tenants.find(caller));
  }

  @Post('api-keys')
  @Operation(TENANTS.issue)
  @RequireScope('admin')
  async issue(
    @CurrentCaller() caller: Caller,
    @Body(new ZodBody(apiKeyBody)) { scopes }: z.output<typeof apiKeyBody>,
  ) {
    const { id, secret } = await this.tenants.issueKey(caller, scopes);
    return { id, api_key: secret, scopes };
  }

  @Delete('api-keys/:id')
  @Operation(TENANTS.revoke)
  @RequireScope('admin')
  async revoke(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const known = /^[0-9a-f-]{36}$/i.test(id) && (await this.tenants.revokeKey(caller, id));
    if (!known) throw notFound('API key in force');
    return { id, revoked: true as const };
  }

  @Get('audit')
  @Operation(TENANTS.trail)
  @RequireScope('admin')
  async trail(
    @CurrentCaller() caller: Caller,
    @Query(new ZodBody(limitQuery)) { limit }: z.output<typeof limitQuery>,
  ) {
    return { entries: await this.audit.list(caller, limit) };
  }
}

/** What the other services ask about keys. */
@Api(BILLING_TAG)
@Controller('internal/api-keys')
@UseGuards(InternalGuard)
export class IntrospectionController {
  constructor(private readonly keys: KeyDirectory) {}

  @Post('introspect')
  @Operation(TENANTS.introspect)
  @HttpCode(200)
  async introspect(@Body(new ZodBody(introspectBody)) { hash }: z.output<typeof introspectBody>) {
    return { principal: await this.keys.find(hash) };
  }
}

function settingsOf(given: z.output<typeof tenantBody>['settings']): Partial<TenantSettings> {
  const settings = {
    lateness: given.lateness,
    dedupWindow: given.dedup_window,
    discloseBalance: given.disclose_balance,
    disclosePrice: given.disclose_price,
    portalUrl: given.portal_url,
    docsUrl: given.docs_url,
    statuses: given.statuses,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
