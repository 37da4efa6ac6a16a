import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Clock, Ids } from '@tallygate/kernel';
import { EventBus } from '../bus/event-bus';
import { Outbox } from '../outbox/outbox';
import { Database } from '../postgres/database';
import { JobQueue } from '../queue/job-queue';
import { SweepRunner } from '../time/sweep-runner';
import { ClockParticipant, TenantTime } from '../time/tenant-time';
import { ServiceContext } from './service-context';

/** Offers one service's context to that service's module under the ports' own classes. Not global: see ServiceContext. */
@Module({})
export class PlatformModule {
  static forService(context: ServiceContext): DynamicModule {
    const providers = [
      { provide: ServiceContext, useValue: context },
      { provide: Database, useValue: context.database },
      { provide: EventBus, useValue: context.bus },
      { provide: JobQueue, useValue: context.queue },
      { provide: Outbox, useValue: context.outbox },
      { provide: TenantTime, useValue: context.tenantTime },
      { provide: ClockParticipant, useValue: context.participant },
      { provide: SweepRunner, useValue: context.sweepRunner },
      { provide: Clock, useValue: context.clock },
      { provide: Ids, useValue: context.ids },
    ];
    return { module: PlatformModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}
