import type { Log } from '../telemetry/log';

const PATIENCE_MS = 25_000;

/** Ends the process in order on SIGTERM or SIGINT; a second signal, or too long a wait, ends it at once. */
export function onSignals(close: () => Promise<void>, log: Log): void {
  let asked = false;
  const stop = (signal: NodeJS.Signals) => {
    if (asked) process.exit(1);
    asked = true;
    log.info({ signal }, 'stopping');
    setTimeout(() => process.exit(1), PATIENCE_MS).unref();
    void close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
