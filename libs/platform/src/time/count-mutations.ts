import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { finalize } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Authenticated } from '../auth/api-key-guard';
import type { ClockParticipant } from './tenant-time';

/** Counts requests that may have changed something for a tenant, so that a clock in motion waits for what they set off. */
export class CountMutations implements NestInterceptor {
  constructor(private readonly participants: readonly ClockParticipant[]) {}

  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = host.switchToHttp().getRequest<FastifyRequest & Authenticated>();
    const tenantId = request.principal?.tenantId;
    if (tenantId === undefined || request.method === 'GET' || request.method === 'HEAD') return next.handle();
    return next
      .handle()
      .pipe(finalize(() => this.participants.forEach((participant) => participant.touched(tenantId))));
  }
}
