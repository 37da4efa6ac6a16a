import { chaosCommand } from './chaos.command';
import { demoCommand } from './demo.command';
import { type Output, consoleOutput } from './output';
import { openApiCommand } from './openapi/openapi.command';
import { scenarioCommand } from './scenario.command';
import { partitionsCommand } from './partitions.command';
import { stackCommand } from './stack.command';
import { verifyCommand } from './verify.command';

type Command = (words: readonly string[], output: Output) => Promise<number>;

const COMMANDS: Readonly<Record<string, { readonly run: Command; readonly says: string }>> = {
  demo: {
    run: demoCommand,
    says: 'plays the main story on the embedded default and stays up (--exit: ends after it)',
  },
  stack: {
    run: stackCommand,
    says: 'starts Kafka, PostgreSQL, Redis, every service, the gate agent and the gateways found',
  },
  chaos: {
    run: chaosCommand,
    says: 'kills and pauses the real stack’s processes under load: [--rounds N | --minutes N] [--seed S]',
  },
  partitions: {
    run: partitionsCommand,
    says: 'how far usage was taken; `skip` lets a partition whose messages were lost go on',
  },
  verify: {
    run: verifyCommand,
    says: 'recomputes the journal from its rows and names the first wrong one: [--tenant ID] [--anchor FILE] [--json]',
  },
  openapi: {
    run: openApiCommand,
    says: 'writes the OpenAPI documents of every service: [DIR, docs/openapi by default]',
  },
  scenario: { run: scenarioCommand, says: 'runs scenario files: [--stack embedded|real] [--json] FILE...' },
};

async function main(): Promise<number> {
  const [name, ...words] = process.argv.slice(2);
  const command = COMMANDS[name ?? ''];
  if (!command) {
    const known = Object.entries(COMMANDS).map(([key, { says }]) => `  ${key.padEnd(10)}${says}`);
    consoleOutput.error([`unknown command "${name ?? ''}"; there are`, ...known].join('\n'));
    return 2;
  }
  return command.run(words, consoleOutput);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    consoleOutput.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  },
);
