const MOST_TENANTS = 10_000;

/** Counts effects per tenant, only for tenants with a virtual clock: live ones are never waited for. */
export class Activity {
  private readonly counts = new Map<string, number>();
  private common = 0;

  constructor(private readonly isVirtual: (tenantId: string) => boolean) {}

  touched(tenantId: string): void {
    if (!this.isVirtual(tenantId)) return;
    const count = this.own(tenantId) + 1;
    // Set anew at the end of the map, whose front is then the tenant that rested longest.
    this.counts.delete(tenantId);
    this.counts.set(tenantId, count);
    if (this.counts.size > MOST_TENANTS) this.forgetOldest();
  }

  /** An effect that cannot be told apart by tenant: whoever waits must look once more. */
  touchedSomebody(): void {
    this.common += 1;
  }

  of(tenantId: string): number {
    return this.own(tenantId) + this.common;
  }

  private own(tenantId: string): number {
    return this.counts.get(tenantId) ?? 0;
  }

  private forgetOldest(): void {
    const [oldest] = this.counts.keys();
    if (oldest !== undefined) this.counts.delete(oldest);
  }
}
