/**
 * A change that others wait for. `next()` must be taken before the condition is checked, so that a change between the
 * check and the wait is not missed.
 */
export class Signal {
  private waiters: (() => void)[] = [];

  next(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  raise(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** A pause that `wake` cuts short; the timer never keeps the process alive. */
export class Pause {
  private end: (() => void) | undefined;
  private woken = false;

  /** Waits `ms`, or not at all when `wake` was called since the last wait. */
  async wait(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        timer.unref();
        this.end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.end = undefined;
    this.woken = false;
  }

  wake(): void {
    this.woken = true;
    this.end?.();
  }
}

/** Waits for a signal, but not longer than `ms`. */
export async function orAfter(ms: number, signal: Promise<void>): Promise<void> {
  const pause = new Pause();
  void signal.then(() => pause.wake());
  await pause.wait(ms);
}
