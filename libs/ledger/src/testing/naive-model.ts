/**
 * The rules of the burn-down once more, as plainly as they can be said, in whole billionths and lists: what the engine
 * and its SQL are compared with. Written apart from the engine; shares no code with it.
 */
export interface NaiveLot {
  key: string;
  left: bigint;
  priority: number;
  start: number;
  end: number;
  paid: boolean;
}

export class NaiveWallet {
  readonly lots: NaiveLot[] = [];
  readonly debts: { at: number; left: bigint }[] = [];

  grant(lot: NaiveLot, now: number): void {
    this.lots.push(lot);
    this.repay(now);
  }

  use(amount: bigint, at: number, now: number): void {
    let left = amount;
    for (const lot of this.inOrder()) {
      if (at < lot.start || at >= lot.end) continue;
      const taken = lot.left < left ? lot.left : left;
      lot.left -= taken;
      left -= taken;
    }
    if (left > 0n) this.debts.push({ at, left });
    this.repay(now);
  }

  get owed(): bigint {
    return this.debts.reduce((sum, debt) => sum + debt.left, 0n);
  }

  private repay(now: number): void {
    for (const debt of this.debts) {
      for (const lot of this.inOrder()) {
        if (lot.start > now || lot.end <= debt.at) continue;
        const paid = lot.left < debt.left ? lot.left : debt.left;
        lot.left -= paid;
        debt.left -= paid;
      }
    }
  }

  private inOrder(): NaiveLot[] {
    const born = new Map(this.lots.map((lot, i) => [lot, i]));
    return [...this.lots].sort(
      (a, b) =>
        a.priority - b.priority ||
        a.end - b.end ||
        Number(a.paid) - Number(b.paid) ||
        a.start - b.start ||
        (born.get(a) ?? 0) - (born.get(b) ?? 0),
    );
  }
}
