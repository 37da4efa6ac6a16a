import { benchGate } from './gate-bench';

/** `node dist/bench/gate/main.js [rounds] [seconds]`: prints the figures as JSON. */
async function main([rounds = '7', seconds = '3']: readonly string[]): Promise<void> {
  const figures = await benchGate({ rounds: Number(rounds), seconds: Number(seconds) });
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
