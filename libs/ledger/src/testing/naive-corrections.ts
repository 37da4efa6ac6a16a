/**
 * The rules of corrections as plainly as they can be said: every event remembers each draw, in the order in which it drew.
 * What the ledger and its attribution are compared with; shares no code with them.
 */
export interface PlainLot {
  readonly key: string;
  left: bigint;
  readonly priority: number;
  readonly start: number;
  readonly end: number;
  closed: boolean;
}

export interface PlainEvent {
  readonly at: number;
  amount: bigint;
  reversed: boolean;
  draws: { lot: PlainLot; amount: bigint }[];
}

interface PlainDebt {
  readonly event: PlainEvent;
  left: bigint;
}

export class PlainWallet {
  readonly lots: PlainLot[] = [];
  private readonly debts: PlainDebt[] = [];

  /** @param lateness how long after its end a lot takes credit back */
  constructor(private readonly lateness: number) {}

  grant(lot: PlainLot, now: number): void {
    this.lots.push(lot);
    this.repay(now);
  }

  use(amount: bigint, at: number, now: number): PlainEvent {
    const event: PlainEvent = { at, amount: 0n, reversed: false, draws: [] };
    this.charge(event, amount, now);
    return event;
  }

  correct(event: PlainEvent, amount: bigint, now: number): void {
    if (event.reversed) return;
    if (amount >= event.amount) this.charge(event, amount - event.amount, now);
    else this.giveBack(event, event.amount - amount, now);
  }

  /** Lots start and end on the way. */
  wait(now: number, until: number): void {
    const starts = this.lots.map((lot) => lot.start).filter((start) => start > now && start <= until);
    for (const at of starts.sort((a, b) => a - b)) this.repay(at);
    for (const lot of this.lots) {
      if (lot.end + this.lateness > until) continue;
      lot.closed = true;
      lot.left = 0n;
    }
  }

  get owed(): bigint {
    return this.debts.reduce((sum, debt) => sum + debt.left, 0n);
  }

  private charge(event: PlainEvent, amount: bigint, now: number): void {
    event.amount += amount;
    let left = amount;
    for (const lot of this.inOrder()) {
      if (lot.closed || event.at < lot.start || event.at >= lot.end) continue;
      left -= this.draw(event, lot, left);
    }
    if (left > 0n) this.debts.push({ event, left });
    this.repay(now);
  }

  private draw(event: PlainEvent, lot: PlainLot, most: bigint): bigint {
    const taken = lot.left < most ? lot.left : most;
    lot.left -= taken;
    if (taken > 0n) event.draws.push({ lot, amount: taken });
    return taken;
  }

  private giveBack(event: PlainEvent, amount: bigint, now: number): void {
    event.amount -= amount;
    let left = amount;
    for (const debt of this.debts.filter((one) => one.event === event).reverse()) {
      const taken = debt.left < left ? debt.left : left;
      debt.left -= taken;
      left -= taken;
    }
    while (left > 0n) {
      const last = event.draws.at(-1);
      if (last === undefined) throw new Error('gave back more than was drawn');
      const taken = last.amount < left ? last.amount : left;
      last.amount -= taken;
      left -= taken;
      if (last.amount === 0n) event.draws.pop();
      if (!last.lot.closed && last.lot.end + this.lateness > now) last.lot.left += taken;
    }
    this.repay(now);
  }

  private repay(now: number): void {
    for (const debt of this.debts) {
      for (const lot of this.inOrder()) {
        if (lot.closed || lot.start > now || lot.end <= debt.event.at) continue;
        debt.left -= this.draw(debt.event, lot, debt.left);
      }
    }
  }

  private inOrder(): PlainLot[] {
    const born = new Map(this.lots.map((lot, i) => [lot, i]));
    return [...this.lots].sort(
      (a, b) =>
        a.priority - b.priority ||
        a.end - b.end ||
        a.start - b.start ||
        (born.get(a) ?? 0) - (born.get(b) ?? 0),
    );
  }
}
