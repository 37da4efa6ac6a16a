import { Controller, Get, Query } from '@nestjs/common';
import { z } from 'zod';
import { formatInstant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, Operation, wholeNumber, ZodBody } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { AuditLog } from '../service/audit-log';
import type { StoredAuditEntry } from '../service/audit-log';
import { AUDIT } from './mending-operations';
import { INGESTION_TAG } from './operations';

const auditQuery = z.strictObject({
  subject: z.string().optional(),
  before: z.uuid().optional(),
  limit: wholeNumber(1, 1000).prefault('100'),
});

/** Who did what to usage: letters, backfills, corrections by call. */
@Api(INGESTION_TAG)
@Controller('v1/usage-audit')
export class AuditController {
  constructor(private readonly log: AuditLog) {}

  @Get()
  @Operation(AUDIT.list)
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
