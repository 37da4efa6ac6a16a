import { Controller, Get, Header, Inject } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { missingOf } from '../health/readiness';
import type { Missing, ReadinessCheck } from '../health/readiness';
import { problem } from '../http/problem';
import { scrape } from './service-context';

export const METRICS = Symbol('metrics');
export const CHECKS = Symbol('readiness checks');

/** What orchestrators and Prometheus ask. */
@Controller()
export class OperationsController {
  constructor(
    @Inject(METRICS) private readonly metrics: Registry,
    @Inject(CHECKS) private readonly checks: readonly ReadinessCheck[],
  ) {}

  @Get('healthz')
  live(): { status: string } {
    return { status: 'live' };
  }

  @Get('readyz')
  async ready(): Promise<{ status: string; degraded?: readonly Missing[] }> {
    const wrong = await missingOf(this.checks);
    const missing = wrong.filter((one) => one.degrades !== true);
    if (wrong.length === 0) return { status: 'ready' };
    if (missing.length === 0) return { status: 'degraded', degraded: wrong };
    throw problem(503, 'not_ready', 'Something this service needs is missing', {
      detail: missing.map((one) => `${one.name} at ${one.where}: ${one.problem}. ${one.start}.`).join(' '),
      missing,
    });
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  page(): Promise<string> {
    return scrape(this.metrics);
  }
}
