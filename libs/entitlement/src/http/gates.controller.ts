import { Controller, Get } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import { CurrentPrincipal, RequireScope } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { GateRegistry } from '../service/gate-registry';

/** Which gates follow the feed, and how far each has come. */
@Controller('v1/gates')
export class GatesController {
  constructor(private readonly registry: GateRegistry) {}

  @Get()
  @RequireScope('read')
  list(@CurrentPrincipal() { tenantId }: Principal): readonly Record<string, unknown>[] {
    return this.registry.list(tenantId).map((gate) => ({
      gate: gate.gate,
      connected: gate.connected,
      revision: gate.revision,
      lag: gate.lag,
      digest_equal: gate.digestEqual,
      seen_at: formatInstant(gate.seenAt),
    }));
  }
}
