import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { ServiceContext } from '@tallygate/platform';
import { EventRegistry } from '../service/ports';
import { RedriveParked } from '../service/redrive-parked.service';

/** Neither has a due instant of its own: parked events move when the directory does, memory ends unseen. */
const never = async () => null;

@Injectable()
export class UsageSweepers implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly redrive: RedriveParked,
    private readonly registry: EventRegistry,
  ) {}

  onModuleInit(): void {
    this.context.addSweeper({
      name: 'parked usage',
      sweep: (scope) => this.redrive.run(scope),
      nextDue: never,
    });
    this.context.addSweeper({
      name: 'received events',
      sweep: (scope, systemNow) => this.registry.forget(scope, systemNow),
      nextDue: never,
    });
  }
}
