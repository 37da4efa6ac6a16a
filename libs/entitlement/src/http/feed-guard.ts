import { Injectable, createParamDecorator } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Scope } from '@tallygate/platform';
import { ONE_OF_SCOPES, problem } from '@tallygate/platform';
import type { FastifyRequest } from 'fastify';
import { FeedAccess, bearerOf } from '../service/feed-access';

interface Granted {
  feedTenant?: string | null;
}

/** What the credential may see: a tenant, or null for all. */
export const FeedTenant = createParamDecorator(
  (_: unknown, host: ExecutionContext): string | null =>
    host.switchToHttp().getRequest<FastifyRequest & Granted>().feedTenant ?? null,
);

/**
 * Lets gates in by their own rules, which the guard of ordinary API keys does not know: a key with one of the route's
 * scopes, or the installation's gate credential, which has all.
 */
@Injectable()
export class FeedGuard implements CanActivate {
  constructor(
    private readonly access: FeedAccess,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(host: ExecutionContext): Promise<boolean> {
    const request = host.switchToHttp().getRequest<FastifyRequest & Granted>();
    const scopes = this.reflector.getAllAndOverride<readonly Scope[]>(ONE_OF_SCOPES, [
      host.getHandler(),
      host.getClass(),
    ]);
    const header = request.headers['x-api-key'];
    const credential =
      bearerOf(request.headers.authorization) ?? (typeof header === 'string' ? header : null);
    const granted = await this.access.of(credential, scopes ?? ['gate']);
    if (granted.outcome === 'granted') {
      request.feedTenant = granted.tenantId;
      return true;
    }
    const code = granted.status === 401 ? codeOf(credential) : 'scope_missing';
    throw problem(granted.status, code, 'This credential is not let in here', { detail: granted.problem });
  }
}

function codeOf(credential: string | null): string {
  return credential === null ? 'credential_missing' : 'credential_unknown';
}
