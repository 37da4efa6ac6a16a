import {
  Body,
  Controller,
  type DynamicModule,
  HttpCode,
  Inject,
  Module,
  Post,
  UseGuards,
} from '@nestjs/common';
import { TOPICS } from '@tallygate/contracts';
import { EventBus, InternalGuard, TENANT_HEADER, ZodBody } from '@tallygate/platform';
import { z } from 'zod';

const rawUsage = z.object({ tenantId: z.uuid(), event: z.unknown() });

/** Stands in for a gateway's producer: there is no broker here that it could write to. */
@Controller('internal')
@UseGuards(InternalGuard)
export class RawUsageController {
  constructor(@Inject(EventBus) private readonly bus: EventBus) {}

  @Post('usage-raw')
  @HttpCode(202)
  async publish(
    @Body(new ZodBody(rawUsage)) { tenantId, event }: z.infer<typeof rawUsage>,
  ): Promise<{ published: true }> {
    const value = Buffer.from(JSON.stringify(event));
    await this.bus.publish(TOPICS.usageRaw, [
      { key: tenantId, value, headers: { [TENANT_HEADER]: tenantId } },
    ]);
    return { published: true };
  }
}

/** All services' modules behind one HTTP server. */
@Module({})
export class StandaloneModule {
  static register(modules: readonly DynamicModule[], bus: EventBus, internalSecret: string): DynamicModule {
    return {
      module: StandaloneModule,
      imports: [...modules],
      controllers: [RawUsageController],
      providers: [
        { provide: EventBus, useValue: bus },
        { provide: InternalGuard, useValue: new InternalGuard(internalSecret) },
      ],
    };
  }
}
