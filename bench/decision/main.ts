import { benchDecision } from './decision-bench';

/** `node dist/bench/decision/main.js`: prints the figures as JSON, over few customers (in the processor's
 * cache) and over many (from memory). */
process.stdout.write(
  `${JSON.stringify(
    [1_000, 100_000].map((customers) => benchDecision(customers)),
    null,
    2,
  )}\n`,
);
