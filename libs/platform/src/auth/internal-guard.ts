import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { problem } from '../http/problem';
import { sameSecret } from './api-key';

export const INTERNAL_HEADER = 'x-tallygate-internal';

/** Offered to every module of a process by `createService`. */
export const INTERNAL_SECRET = Symbol('the secret of this installation’s services');

/** Lets only the installation's own services in. */
@Injectable()
export class InternalGuard implements CanActivate {
  constructor(@Inject(INTERNAL_SECRET) private readonly internalSecret: string) {}

  canActivate(host: ExecutionContext): boolean {
    const given = host.switchToHttp().getRequest<FastifyRequest>().headers[INTERNAL_HEADER];
    if (typeof given === 'string' && sameSecret(given, this.internalSecret)) return true;
    throw internalOnly();
  }
}

export function internalOnly() {
  return problem(401, 'internal_only', 'This route is for the services of this installation');
}
