import { Controller, Get } from '@nestjs/common';
import { formatInstant } from '@tallygate/kernel';
import { Api, CurrentPrincipal, Operation, RequireScope } from '@tallygate/platform';
import type { Principal } from '@tallygate/platform';
import { GateRegistry } from '../service/gate-registry';
import { ENTITLEMENT_TAG, GATES } from './operations';

/** Which gates follow the feed, and how far each has come. */
@Api(ENTITLEMENT_TAG)
@Controller('v1/gates')
export class GatesController {
  constructor(private readonly registry: GateRegistry) {}

  @Get()
  @Operation(GATES.list)
  @RequireScope('read')
  list(@CurrentPrincipal() { tenantId }: Principal) {
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
