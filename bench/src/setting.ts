import { LiveTenant, RealStack } from '@tallygate/testing';
import { Debits } from './debits';

/** PostgreSQL as one would run it for this load; durable, and the same server for the product and the controls. */
const POSTGRES = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  track_commit_timestamp: 'on',
};

export interface Size {
  readonly quick: boolean;
  /** Events of one round of usage. */
  readonly roundEvents: number;
  readonly rounds: number;
  readonly customers: number;
  /** Customers whose way from paid to denied and back is timed. */
  readonly probes: number;
}

export const FULL: Size = { quick: false, roundEvents: 400_000, rounds: 3, customers: 1_000, probes: 200 };
export const QUICK: Size = { quick: true, roundEvents: 60_000, rounds: 1, customers: 200, probes: 20 };

export const LOAD_PREFIX = 'load-';

/** Everything the figures are measured on: the real stack, a live tenant on it, the watch over its database. */
export class Setting {
  private constructor(
    readonly stack: RealStack,
    readonly tenant: LiveTenant,
    readonly debits: Debits,
    readonly size: Size,
  ) {}

  static async prepare(size: Size): Promise<Setting> {
    const stack = await RealStack.start({ postgresSettings: POSTGRES });
    try {
      const tenant = await LiveTenant.open(stack, 'bench');
      await tenant.createCustomers(
        Array.from({ length: size.customers }, (_, place) => ({
          key: `${LOAD_PREFIX}${place}`,
          apiKey: `key-of-load-${place}`,
          plan: 'rich' as const,
        })),
      );
      return new Setting(stack, tenant, await Debits.watch(stack), size);
    } catch (error) {
      await stack.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.debits.close();
    await this.stack.close();
  }
}
