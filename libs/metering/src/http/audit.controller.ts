import { Controller, Get, Query } from '@nestjs/common';
import { z } from 'zod';
import { formatInstant } from '@tallygate/kernel';
import { CurrentPrincipal, ZodBody } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { AuditLog } from '../service/audit-log';
import type { StoredAuditEntry } from '../service/audit-log';

const auditQuery = z.strictObject({
  subject: z.string().optional(),
  before: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

/** Who did what to usage: letters, backfills, corrections by call. */
@Controller('v1/usage-audit')
export class AuditController {
  constructor(private readonly log: AuditLog) {}

  @Get()
  async list(
    @CurrentPrincipal() { tenantId }: Principal,
    @Query(new ZodBody(auditQuery)) { subject, before, limit }: z.output<typeof auditQuery>,
  ): Promise<unknown> {
    const filter = { subject: subject ?? null, before: before ?? null, limit };
    return { audit: (await this.log.list(tenantId, filter)).map(shownAudit) };
  }
}

export function shownAudit({ id, at, action, author, keyId, subject, reason, detail }: StoredAuditEntry) {
  return { id, at: formatInstant(at), action, author, key: keyId, subject, reason, detail };
}
