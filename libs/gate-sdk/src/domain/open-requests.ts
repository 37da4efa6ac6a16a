/** A request in flight and the slots it keeps, by key of customer and feature. */
export interface OpenRequest {
  readonly decisionId: string;
  /** The caller's own name for it; null when it gave none. */
  readonly name: string | null;
  readonly slots: readonly string[];
  /** Milliseconds of a steady clock, not of the tenant's. */
  readonly openedMs: number;
}

/**
 * Requests in flight. A slot is kept from the decision until `finish`; whoever never says so loses it after a while, so
 * that a crashed caller does not lock its customer out for ever.
 */
export class OpenRequests {
  private readonly requests = new Map<string, OpenRequest>();
  private readonly byName = new Map<string, string>();
  private readonly counts = new Map<string, number>();

  constructor(private readonly longestMs: number) {}

  get size(): number {
    return this.requests.size;
  }

  inFlight(slot: string): number {
    return this.counts.get(slot) ?? 0;
  }

  open(request: OpenRequest): void {
    this.expire(request.openedMs);
    this.requests.set(request.decisionId, request);
    if (request.name !== null) this.byName.set(request.name, request.decisionId);
    for (const slot of request.slots) this.counts.set(slot, this.inFlight(slot) + 1);
  }

  /** By the decision's id, or else by name; false when no such request is in flight (any more). */
  finish(decisionId: string | null, name: string | null): boolean {
    const id = decisionId ?? (name === null ? undefined : this.byName.get(name));
    const request = id === undefined ? undefined : this.requests.get(id);
    if (request === undefined) return false;
    this.release(request);
    return true;
  }

  /** Requests are kept in the order in which they were opened, so the oldest come first. */
  private expire(nowMs: number): void {
    for (const request of this.requests.values()) {
      if (nowMs - request.openedMs <= this.longestMs) return;
      this.release(request);
    }
  }

  private release(request: OpenRequest): void {
    this.requests.delete(request.decisionId);
    if (request.name !== null && this.byName.get(request.name) === request.decisionId) {
      this.byName.delete(request.name);
    }
    for (const slot of request.slots) {
      const left = this.inFlight(slot) - 1;
      if (left > 0) this.counts.set(slot, left);
      else this.counts.delete(slot);
    }
  }
}
