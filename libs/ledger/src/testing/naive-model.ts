/**
 * The rules of credit once more, as plainly as they can be said: whole billionths, lists that are searched from end to
 * end, and a clock that goes hour by hour and looks at everything each time. What the engine and its SQL are compared
 * with; written apart from them, and shares no code with them. Instants are hours.
 */
export interface NaiveLot {
  readonly key: string;
  readonly start: number;
  /** Infinity: never. */
  readonly end: number;
  readonly priority: number;
  readonly paid: boolean;
  /** The only one that it pays for; null: any. */
  readonly feature: string | null;
  left: bigint;
  held: bigint;
  closed: boolean;
}

export type NaiveGrant = Omit<NaiveLot, 'held' | 'closed'>;

/** A grant that comes again every so many hours, until the end of its last lot. */
export interface NaiveSeries extends NaiveGrant {
  readonly every: number;
  readonly rollover: { readonly min: bigint; readonly max: bigint | null } | null;
}

interface NaiveHold {
  readonly key: string;
  readonly feature: string | null;
  readonly amount: bigint;
  readonly until: number;
  readonly parts: { readonly lot: NaiveLot; left: bigint }[];
  open: boolean;
}

interface NaiveDebt {
  readonly at: number;
  readonly feature: string | null;
  left: bigint;
}

export class NaiveWallet {
  /** As they were created. */
  readonly lots: NaiveLot[] = [];
  private debts: NaiveDebt[] = [];
  private readonly holds: NaiveHold[] = [];
  private series: NaiveSeries[] = [];
  now = 0;

  /** @param lateness hours after its end in which a lot still pays for usage from before it */
  constructor(
    private readonly overdraft = 0n,
    private readonly lateness = 1,
  ) {}

  /** Hour by hour; what an hour brings by itself comes before anything else of it. */
  waitUntil(hour: number): void {
    while (this.now < hour) {
      this.now += 1;
      this.hourComes();
    }
  }

  grant(grant: NaiveGrant): void {
    this.create(grant);
    this.repay();
  }

  /** From this hour on, or a later one. */
  grantAgainAndAgain(series: NaiveSeries): void {
    this.series.push(series);
    this.comesAgain(series);
  }

  /** Usage already served, from an hour ago or more: always recorded. */
  use(amount: bigint, feature: string | null, at: number): void {
    let left = amount;
    for (const lot of this.validAt(at, feature)) left -= draw(lot, left);
    this.owe(left, feature, at);
  }

  /** @returns whether it was granted */
  debit(amount: bigint, feature: string | null): boolean {
    if (!this.allows(amount, feature)) return false;
    let left = amount;
    for (const lot of this.validAt(this.now, feature)) left -= draw(lot, left);
    this.owe(left, feature, this.now);
    return true;
  }

  hold(key: string, amount: bigint, feature: string | null, hours: number): boolean {
    if (this.free(feature) < amount || !this.allows(amount, feature)) return false;
    const hold: NaiveHold = { key, feature, amount, until: this.now + hours, parts: [], open: true };
    let left = amount;
    for (const lot of this.validAt(this.now, feature)) {
      const pinned = draw(lot, left);
      lot.held += pinned;
      left -= pinned;
      hold.parts.push({ lot, left: pinned });
    }
    this.holds.push(hold);
    return true;
  }

  /** What is above the hold is a debit; what is below goes back. */
  capture(key: string, amount: bigint): boolean {
    const hold = this.openHold(key);
    if (hold === undefined) return false;
    if (amount > hold.amount && !this.debit(amount - hold.amount, hold.feature)) return false;
    let left = amount;
    for (const part of hold.parts) {
      const taken = part.left < left ? part.left : left;
      part.left -= taken;
      part.lot.held -= taken;
      left -= taken;
    }
    this.resolve(hold);
    return true;
  }

  release(key: string): boolean {
    const hold = this.openHold(key);
    if (hold !== undefined) this.resolve(hold);
    return hold !== undefined;
  }

  /** Of one grant: its lots that have not ended, and those to come. */
  void(key: string): void {
    for (const lot of this.lots) if (lot.key === key && !lot.closed && lot.end > this.now) close(lot);
    this.series = this.series.filter((one) => one.key !== key);
  }

  get owed(): bigint {
    return this.owedBy(() => true);
  }

  owedBy(which: (feature: string | null) => boolean): bigint {
    return this.debts.reduce((sum, debt) => (which(debt.feature) ? sum + debt.left : sum), 0n);
  }

  private hourComes(): void {
    for (const lot of this.lots) if (lot.end + this.lateness === this.now && !lot.closed) close(lot);
    for (const hold of this.holds) if (hold.open && hold.until === this.now) this.resolve(hold);
    for (const series of this.series) this.comesAgain(series);
    this.repay();
  }

  private comesAgain(series: NaiveSeries): void {
    const { start, every, end, rollover } = series;
    if (this.now < start || this.now >= end || (this.now - start) % every !== 0) return;
    const lot = { ...series, start: this.now, end: Math.min(this.now + every, end) };
    if (rollover !== null && this.now > start) {
      this.rollOver(lot, rollover);
      this.repay();
    }
    this.create(lot);
    this.repay();
  }

  private rollOver(next: NaiveGrant, { min, max }: { min: bigint; max: bigint | null }): void {
    const ending = this.inOrder().filter(
      (lot) => lot.key === next.key && !lot.closed && lot.end === this.now,
    );
    const left = ending.reduce((sum, lot) => sum + lot.left, 0n);
    let rolled = left > min ? left : min;
    if (max !== null && rolled > max) rolled = max;
    let toTake = rolled;
    for (const lot of ending.reverse()) toTake -= draw(lot, toTake);
    if (rolled > 0n) this.create({ ...next, left: rolled });
  }

  private create({ key, start, end, priority, paid, feature, left }: NaiveGrant): void {
    this.lots.push({ key, start, end, priority, paid, feature, left, held: 0n, closed: false });
  }

  /** Left below −overdraft is neither the feature nor, where credit is lent, the whole wallet. */
  private allows(amount: bigint, feature: string | null): boolean {
    const free = this.free(feature);
    const own = feature === null ? this.owed : this.owedBy((one) => one === feature);
    if (free >= amount + own) return true;
    const lent = amount > free ? amount - free : 0n;
    return own + amount - free <= this.overdraft && this.owed + lent <= this.overdraft;
  }

  private free(feature: string | null): bigint {
    return this.validAt(this.now, feature).reduce((sum, lot) => sum + lot.left, 0n);
  }

  /** What follows the youngest debt joins it, where the same lots may pay for both: it is as old as its first part. */
  private owe(amount: bigint, feature: string | null, at: number): void {
    const youngest = this.debts.at(-1);
    const joins =
      youngest?.feature === feature &&
      youngest.at <= at &&
      this.lots.every((lot) => lot.end <= youngest.at || lot.end > at);
    if (joins) youngest.left += amount;
    else if (amount > 0n) this.debts.push({ at, feature, left: amount });
    this.repay();
  }

  /** The oldest first, from whatever has begun and ends after the debt's own time. */
  private repay(): void {
    this.debts.sort((a, b) => a.at - b.at);
    for (const debt of this.debts) {
      for (const lot of this.inOrder()) {
        if (lot.closed || lot.start > this.now || lot.end <= debt.at || !paysFor(lot, debt.feature)) continue;
        debt.left -= draw(lot, debt.left);
      }
    }
    this.debts = this.debts.filter((debt) => debt.left > 0n);
  }

  private openHold(key: string): NaiveHold | undefined {
    return this.holds.find((hold) => hold.key === key && hold.open);
  }

  private resolve(hold: NaiveHold): void {
    hold.open = false;
    for (const { lot, left } of hold.parts) {
      lot.held -= left;
      if (!lot.closed) lot.left += left;
    }
    this.repay();
  }

  private validAt(at: number, feature: string | null): NaiveLot[] {
    return this.inOrder().filter(
      (lot) => !lot.closed && lot.start <= at && at < lot.end && paysFor(lot, feature),
    );
  }

  private inOrder(): NaiveLot[] {
    const born = new Map(this.lots.map((lot, i) => [lot, i]));
    return [...this.lots].sort(
      (a, b) =>
        a.priority - b.priority ||
        (a.end === b.end ? 0 : a.end - b.end) ||
        Number(a.paid) - Number(b.paid) ||
        a.start - b.start ||
        (born.get(a) ?? 0) - (born.get(b) ?? 0),
    );
  }
}

/** @returns what the lot gave */
function draw(lot: NaiveLot, wanted: bigint): bigint {
  const taken = lot.left < wanted ? lot.left : wanted;
  lot.left -= taken;
  return taken;
}

function close(lot: NaiveLot): void {
  lot.closed = true;
  lot.left = 0n;
}

function paysFor(lot: NaiveLot, feature: string | null): boolean {
  return lot.feature === null || lot.feature === feature;
}
