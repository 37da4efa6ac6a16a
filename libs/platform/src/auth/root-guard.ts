import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { problem } from '../http/problem';
import { sameSecret } from './api-key';

/** For routes outside /v1 that only the operator of the installation may use. */
export class RootGuard implements CanActivate {
  constructor(private readonly rootKey: string) {}

  canActivate(host: ExecutionContext): boolean {
    const { headers } = host.switchToHttp().getRequest<FastifyRequest>();
    const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? headers['x-api-key'];
    if (typeof given === 'string' && sameSecret(given, this.rootKey)) return true;
    throw problem(401, 'root_key_required', 'This route takes the root key of the installation');
  }
}
