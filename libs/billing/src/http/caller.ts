import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { principalOf } from '@tallygate/platform';
import type { Authenticated } from '@tallygate/platform';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../service/tenant-session';

/** The tenant and key behind a request, as use cases take them. */
export const CurrentCaller = createParamDecorator((_: unknown, host: ExecutionContext): Caller => {
  const { tenantId, keyId } = principalOf(host.switchToHttp().getRequest<FastifyRequest & Authenticated>());
  return { tenantId, actor: keyId };
});
