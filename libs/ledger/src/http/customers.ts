import { Injectable } from '@nestjs/common';
import type { CustomerFacts } from '@tallygate/contracts';
import { Directory } from '@tallygate/directory';
import { REFUSALS } from './refusals';

/** Finds customers by the provider's own keys. */
@Injectable()
export class Customers {
  constructor(private readonly directory: Directory) {}

  async byKey(tenantId: string, key: string): Promise<CustomerFacts> {
    const customer = await this.directory.resolveCustomer(tenantId, key);
    if (customer !== null) return customer;
    throw REFUSALS.customer_unknown(key);
  }
}
