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
  private readonly running = new Map<string, Promise<T>>();
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

  /** Whether half of the time of what is remembered has passed: who looks it up now need not wait for it later. */
  isAging(key: string): boolean {
    const entry = this.entries.get(key);
    return entry !== undefined && entry.until - this.keepMs / 2 <= this.elapsedMs();
  }

  /**
   * What is remembered, or one look-up for everybody who asks meanwhile: after a start many ask at once, and a look-up
   * each would take longer than its result is kept, so that none would ever be found.
   */
  async through(key: string, lookUp: () => Promise<T>): Promise<T> {
    return this.get(key) ?? this.running.get(key) ?? this.run(key, lookUp);
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
    this.running.delete(key);
  }

  forgetAll(): void {
    this.changes += 1;
    this.entries.clear();
    this.running.clear();
  }

  private run(key: string, lookUp: () => Promise<T>): Promise<T> {
    const keep = this.intent(key);
    const running: Promise<T> = lookUp()
      .then((value) => {
        keep(value);
        return value;
      })
      .finally(() => {
        if (this.running.get(key) === running) this.running.delete(key);
      });
    this.running.set(key, running);
    return running;
  }
}
