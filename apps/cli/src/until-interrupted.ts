/** Resolves when somebody asks the process to end. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    // A timer keeps the process alive: what it waits for is not in its own event loop.
    const alive = setInterval(() => undefined, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}
