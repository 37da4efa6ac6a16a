import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { missingOf } from '../health/readiness';
import type { Missing, ReadinessCheck } from '../health/readiness';
import { problem } from '../http/problem';
import { Api, Operation } from '../openapi/operation';
import { OPERATIONS_TAG } from '../openapi/operations-tag';
import { scrape } from './service-context';

export const METRICS = Symbol('metrics');
export const CHECKS = Symbol('readiness checks');

const EXAMPLE_MISSING: Missing = {
  name: 'redis',
  where: 'redis://localhost:6379',
  problem: 'does not answer',
  start: 'start Redis at REDIS_URL',
};

function notReady(missing: readonly Missing[]) {
  return problem(503, 'not_ready', 'Something this service needs is missing', {
    detail: missing.map((one) => `${one.name} at ${one.where}: ${one.problem}. ${one.start}.`).join(' '),
    missing,
  });
}

/** What orchestrators and Prometheus ask. */
@Api(OPERATIONS_TAG)
@Controller()
export class OperationsController {
  constructor(
    @Inject(METRICS) private readonly metrics: Registry,
    @Inject(CHECKS) private readonly checks: readonly ReadinessCheck[],
  ) {}

  @Get('healthz')
  @Operation({
    id: 'getLiveness',
    summary: 'Whether the process lives',
    answer: z.strictObject({ status: z.literal('live') }),
    example: { status: 'live' },
  })
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('readyz')
  @Operation({
    id: 'getReadiness',
    summary: 'Whether everything that the service needs is there',
    description: '`degraded`: it serves, but something must be looked at.',
    answer: z.strictObject({
      status: z.enum(['ready', 'degraded']),
      degraded: z.array(z.looseObject({ name: z.string() })).optional(),
    }),
    example: { status: 'ready' },
    refusals: [notReady([EXAMPLE_MISSING])],
  })
  async ready(): Promise<unknown> {
    const wrong = await missingOf(this.checks);
    const missing = wrong.filter((one) => one.degrades !== true);
    if (wrong.length === 0) return { status: 'ready' };
    if (missing.length === 0) return { status: 'degraded', degraded: wrong };
    throw notReady(missing);
  }

  @Get('metrics')
  @Operation({
    id: 'getMetrics',
    summary: 'Metrics in the text format of Prometheus',
    answer: z.string(),
    answerType: 'text/plain',
    example: '# HELP tallygate_outbox_depth Facts that wait to be published\n',
  })
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  page(): Promise<string> {
    return scrape(this.metrics);
  }
}
