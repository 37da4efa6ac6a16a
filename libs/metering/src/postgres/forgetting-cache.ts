interface Entry<T> {
  readonly value: T;
  readonly until: number;
}

/**
 * Remembers look-ups for a short time. Who changes what was looked up calls `forget`, and a look-up that began before
 * the change is then not remembered either.
 */
export class ForgettingCache<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private changes = 0;

  constructor(
    private readonly keepMs: number,
    private readonly most: number,
    private readonly elapsedMs: () => number = () => performance.now(),
  ) {}

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.until > this.elapsedMs() ? entry.value : undefined;
  }

  /** Taken before the look-up; remembers its result unless something was forgotten meanwhile. */
  intent(key: string): (value: T) => void {
    const keep = this.intentOfMany();
    return (value) => keep(key, value);
  }

  /** As `intent`, for several keys looked up together. */
  intentOfMany(): (key: string, value: T) => void {
    const { changes } = this;
    const until = this.elapsedMs() + this.keepMs;
    return (key, value) => {
      if (changes !== this.changes) return;
      // Everything is looked up again within a moment anyway, so the simplest bound will do.
      if (this.entries.size >= this.most) this.entries.clear();
      this.entries.set(key, { value, until });
    };
  }

  forget(key: string): void {
    this.changes += 1;
    this.entries.delete(key);
  }

  forgetAll(): void {
    this.changes += 1;
    this.entries.clear();
  }
}
