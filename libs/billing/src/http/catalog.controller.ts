import { Body, Controller, Get, HttpCode, Post, Put, Req } from '@nestjs/common';
import { invalid, problem, ZodBody } from '@tallygate/platform';
import type { Result } from '@tallygate/kernel';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Fault } from '../domain';
import { Catalogs } from '../service/catalog.service';
import type { AppliedCatalog, CatalogRefusal } from '../service/catalog.service';
import type { RatedRows } from '../service/ports';
import type { Caller } from '../service/tenant-session';
import { CurrentCaller } from './caller';
import { catalogBody, priceBody } from './requests';

/** What a provider sells: the document of `tallygate apply`, as JSON or YAML. */
@Controller('v1')
export class CatalogController {
  constructor(private readonly catalogs: Catalogs) {}

  @Put('catalog')
  async apply(@CurrentCaller() caller: Caller, @Req() request: FastifyRequest) {
    const document = new ZodBody(catalogBody).transform(request.body);
    return applied(await this.catalogs.apply(caller, document));
  }

  @Get('catalog')
  async show(@CurrentCaller() caller: Caller) {
    return this.catalogs.find(caller);
  }

  @Post('prices')
  @HttpCode(201)
  async append(
    @CurrentCaller() caller: Caller,
    @Body(new ZodBody(priceBody)) { rerate, ...row }: z.output<typeof priceBody>,
  ) {
    if (rerate)
      throw problem(422, 'rerating_not_supported', 'What was charged cannot be charged anew', {
        detail: 'Leave rerate out. A row that would change usage that was charged is refused.',
      });
    return applied(await this.catalogs.appendPrice(caller, row));
  }
}

function applied(outcome: Result<AppliedCatalog, CatalogRefusal>): AppliedCatalog {
  if (outcome.ok) return outcome.value;
  const refusal = outcome.error;
  switch (refusal.kind) {
    case 'invalid':
      throw invalid(refusal.faults);
    case 'rated':
      throw problem(409, 'usage_rated', 'The price row would change usage that was rated already', {
        detail: refusal.rated
          .map(({ key, feature, earliest }) => `${key}: ${feature} at ${earliest}`)
          .join('; '),
        faults: refusal.rated.map(ratedFault),
      });
    case 'unreachable':
      throw problem(503, 'ledger_unreachable', 'The ledger did not answer, so nothing was changed', {
        detail: 'A price row that says from when it holds needs the ledger. Repeat the request.',
      });
  }
}

function ratedFault({ key, from, feature, earliest }: RatedRows[number]): Fault {
  return {
    field: `prices.${key}.from`,
    value: from,
    problem: `usage of ${feature} at ${earliest} and later was charged by another row`,
    fix: 'let the row start after the usage that was charged, or leave from out to start now',
  };
}
