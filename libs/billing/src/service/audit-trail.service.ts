import { Injectable } from '@nestjs/common';
import { AuditLog } from './ports';
import type { AuditEntry } from './ports';
import { TenantSessions } from './tenant-session';
import type { Caller } from './tenant-session';

/** Who did what, newest first. */
@Injectable()
export class AuditTrail {
  constructor(
    private readonly sessions: TenantSessions,
    private readonly log: AuditLog,
  ) {}

  list(caller: Caller, limit: number): Promise<readonly (AuditEntry & { at: string; actor: string })[]> {
    return this.sessions.read(caller, (session) => this.log.list(session, limit));
  }
}
