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
import { Api, EventBus, InternalGuard, Operation, TENANT_HEADER, ZodBody } from '@tallygate/platform';
import { z } from 'zod';

const rawUsage = z.object({ tenantId: z.uuid(), event: z.unknown() });

/** Stands in for a gateway's producer: there is no broker here that it could write to. */
@Api({ name: 'standalone', description: 'What only the embedded default has.' })
@Controller('internal')
@UseGuards(InternalGuard)
export class RawUsageController {
  constructor(@Inject(EventBus) private readonly bus: EventBus) {}

  @Post('usage-raw')
  @Operation({
    id: 'publishRawUsage',
    summary: 'Writes a message to the raw usage topic, as a gateway would',
    body: { example: { tenantId: '0199b2f4-9d1c-7a3e-8f5b-2c6d4e8a1b99', event: {} } },
    answer: z.strictObject({ published: z.literal(true) }),
    example: { published: true },
  })
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
