import { Injectable } from '@nestjs/common';
import { Directory } from '@tallygate/directory';
import { Database } from '@tallygate/platform';
import { CustomerLookup } from '../service/ports';
import type { TenantSubject } from '../service/ports';
import { ForgettingCache } from './forgetting-cache';

const KEEP_MS = 1_000;
const MOST = 200_000;

/**
 * Subjects as the directory knows them: remembered for a second when found, asked again when not. Those in use are asked
 * again ahead of that, many together, while what is remembered still answers: usage does not wait for the directory.
 */
@Injectable()
export class DirectoryCustomerLookup extends CustomerLookup {
  private readonly known = new ForgettingCache<string>(KEEP_MS, MOST);
  private renewing = false;

  constructor(
    private readonly directory: Directory,
    private readonly database: Database,
  ) {
    super();
  }

  override async find(subjects: readonly TenantSubject[]): Promise<readonly (string | null)[]> {
    const names = subjects.map(nameOf);
    const missing = new Map<string, TenantSubject>();
    const aging = new Map<string, TenantSubject>();
    const found: (string | null)[] = names.map((name, place) => {
      const customerId = this.known.get(name);
      if (customerId === undefined) missing.set(name, subjects[place] as TenantSubject);
      else if (!this.renewing && this.known.isAging(name)) aging.set(name, subjects[place] as TenantSubject);
      return customerId ?? null;
    });
    if (aging.size > 0) void this.renew(aging);
    if (missing.size === 0) return found;
    const looked = await this.look(missing);
    return found.map((customerId, place) => customerId ?? looked.get(names[place] as string) ?? null);
  }

  /** A customer of some tenant has changed; which subjects it lost is not told, so all are asked again. */
  forgetAll(): void {
    this.known.forgetAll();
  }

  /** One at a time. When it fails, nothing was lost: who needs a subject after its second asks, and is told why not. */
  private async renew(aging: ReadonlyMap<string, TenantSubject>): Promise<void> {
    this.renewing = true;
    await this.look(aging).catch(() => undefined);
    this.renewing = false;
  }

  private async look(missing: ReadonlyMap<string, TenantSubject>): Promise<ReadonlyMap<string, string>> {
    const keep = this.known.intentOfMany();
    const names = [...missing.keys()];
    const customers = await this.database.asWorker((tx) =>
      this.directory.customersBySubjects(tx, [...missing.values()]),
    );
    const looked = new Map<string, string>();
    customers.forEach((customerId, place) => {
      const name = names[place] as string;
      if (customerId === null) return;
      looked.set(name, customerId);
      keep(name, customerId);
    });
    return looked;
  }
}

/** Tenant ids have one length, so the concatenation is unambiguous. */
function nameOf({ tenantId, subject }: TenantSubject): string {
  return tenantId + subject;
}
