import { createParamDecorator, SetMetadata } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { problem } from '../http/problem';
import { hashApiKey, looksLikeApiKey, sameSecret } from './api-key';
import type { KeyDirectory, Principal, Scope } from './principal';

export const SCOPE = 'tallygate:scope';
export const PUBLIC = 'tallygate:public';
export const ROOT = 'tallygate:root';

/** The scope a /v1 route needs. `admin` has every scope, `write` includes `read` and `usage:write`. */
export const RequireScope = (scope: Scope) => SetMetadata(SCOPE, scope);
/** A route that needs no key: a payment provider's webhook, a signed portal link. */
export const Public = () => SetMetadata(PUBLIC, true);
/** A route that takes the installation's root key and no tenant's. */
export const RootOnly = () => SetMetadata(ROOT, true);

export interface Authenticated {
  principal?: Principal;
}

type Request = FastifyRequest & Authenticated;

/** The tenant's key behind a request. */
export const CurrentPrincipal = createParamDecorator((_: unknown, host: ExecutionContext) =>
  principalOf(host.switchToHttp().getRequest<Request>()),
);

export function principalOf({ principal }: Authenticated): Principal {
  if (principal === undefined) throw missingCredential();
  return principal;
}

export interface ApiKeyGuardOptions {
  readonly directory: KeyDirectory;
  readonly rootKey: string;
}

/** Guards every route under /v1; others guard themselves. */
export class ApiKeyGuard implements CanActivate {
  private readonly reflector = new Reflector();

  constructor(private readonly options: ApiKeyGuardOptions) {}

  async canActivate(host: ExecutionContext): Promise<boolean> {
    const request = host.switchToHttp().getRequest<Request>();
    if (!/^\/v1(?:[/?]|$)/.test(request.url) || this.metadata<boolean>(PUBLIC, host) === true) return true;
    const key = credentialOf(request);
    if (this.metadata<boolean>(ROOT, host) === true) return this.checkRoot(key);
    request.principal = await this.identify(key);
    requireScope(
      request.principal,
      this.metadata<Scope>(SCOPE, host) ?? (request.method === 'GET' ? 'read' : 'write'),
    );
    return true;
  }

  private checkRoot(key: string): boolean {
    if (sameSecret(key, this.options.rootKey)) return true;
    throw rootKeyRequired();
  }

  private async identify(key: string): Promise<Principal> {
    const principal = looksLikeApiKey(key) ? await this.options.directory.find(hashApiKey(key)) : null;
    if (principal === null) throw unknownCredential();
    return principal;
  }

  private metadata<T>(key: string, host: ExecutionContext): T | undefined {
    return this.reflector.getAllAndOverride<T | undefined>(key, [host.getHandler(), host.getClass()]);
  }
}

function credentialOf({ headers }: Request): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const header = headers['x-api-key'];
  const key = bearer ?? (typeof header === 'string' && header !== '' ? header : undefined);
  if (key === undefined) throw missingCredential();
  return key;
}

export function rootKeyRequired() {
  return problem(403, 'root_key_required', 'This route takes the root key of the installation');
}

export function unknownCredential() {
  return problem(401, 'credential_unknown', 'This API key is not known', {
    detail: 'The key was never issued, was revoked, or has expired.',
  });
}

export function missingCredential() {
  return problem(401, 'credential_missing', 'An API key is needed', {
    detail: 'Send Authorization: Bearer tg_… or X-Api-Key: tg_….',
  });
}

function requireScope({ scopes }: Principal, needed: Scope): void {
  if (grants(scopes, needed)) return;
  throw missingScope(scopes, needed);
}

export function missingScope(scopes: readonly Scope[], needed: Scope) {
  return problem(403, 'scope_missing', 'This API key may not do that', {
    detail: `The key needs the scope ${needed}; it has ${scopes.join(', ') || 'none'}.`,
    required_scope: needed,
  });
}

export function grants(scopes: readonly Scope[], needed: Scope): boolean {
  const inWrite = needed === 'read' || needed === 'usage:write';
  return scopes.includes('admin') || scopes.includes(needed) || (inWrite && scopes.includes('write'));
}
