import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { decodeEvent, TOPICS } from '@tallygate/contracts';
import type { BillingEvent } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { Database, ServiceContext } from '@tallygate/platform';
import type { Slice, Tx } from '@tallygate/platform';
import { DirectoryCustomerLookup } from '../postgres/directory-customer-lookup';
import { DirectoryTenantViews } from '../postgres/directory-tenant-views';
import { lockParking, wakeParkedOfSubjects, wakeParkedOfTypes } from '../postgres/sql/parked-events';

/** Keeps the directory and wakes parked events whose customer or meter has come. */
@Injectable()
export class BillingConsumer implements OnModuleInit {
  constructor(
    private readonly context: ServiceContext,
    private readonly database: Database,
    private readonly directory: Directory,
    private readonly views: DirectoryTenantViews,
    private readonly customers: DirectoryCustomerLookup,
  ) {}

  async onModuleInit(): Promise<void> {
    const group = `${this.context.name}.billing`;
    await this.context.subscribe({
      topics: [TOPICS.billingEvents],
      group,
      handle: (slice) => this.handle(slice),
    });
  }

  private async handle(slice: Slice): Promise<void> {
    const events = slice.messages.map((message) => decodeEvent<BillingEvent>(message.value));
    const tenants = [...new Set(events.map((event) => event.tenantId))].sort();
    await this.database.asWorker(async (tx) => {
      // Sorted, as everybody takes them: see lockParking.
      for (const tenantId of tenants) await tx.query(lockParking, [tenantId]);
      for (const event of events) if (await this.directory.apply(tx, event)) await wakeParked(tx, event);
    });
    for (const tenantId of tenants) this.views.forget(tenantId);
    if (events.some((event) => event.type === 'customer.changed')) this.customers.forgetAll();
  }
}

async function wakeParked(tx: Tx, event: BillingEvent): Promise<void> {
  if (event.type === 'customer.changed') {
    const { key, subjects } = event.data.customer;
    await tx.query(wakeParkedOfSubjects, [event.tenantId, [key, ...subjects]]);
  }
  if (event.type === 'catalog.applied') {
    await tx.query(wakeParkedOfTypes, [
      event.tenantId,
      event.data.catalog.meters.map((meter) => meter.event_type),
    ]);
  }
}
