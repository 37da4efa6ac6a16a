import { tuneHeap } from '../bootstrap/heap';
import { MissingServers, describeMissing } from '../health/require-servers';
import { ConfigError, describeProblem } from './config';

/** How a main function ends the process; a parameter so that tests need not die. */
export interface Exit {
  readonly exit: (code: number) => void;
  readonly print: (line: string) => void;
}

const processExit: Exit = {
  exit: (code) => process.exit(code),
  print: (line) => void process.stderr.write(`${line}\n`),
};

/** Runs a process's main. Exit 2: the configuration is wrong, every problem printed. Exit 1: it could not start. */
export async function bootstrapOrExit(
  main: () => Promise<unknown>,
  { exit, print }: Exit = processExit,
): Promise<void> {
  tuneHeap();
  try {
    await main();
  } catch (error) {
    if (error instanceof ConfigError) {
      print('The configuration cannot be used:');
      for (const problem of error.problems) print(describeProblem(problem));
      exit(2);
      return;
    }
    if (error instanceof MissingServers) {
      print('Could not start, because this is missing:');
      for (const missing of error.missing) print(describeMissing(missing));
      exit(1);
      return;
    }
    print(`Could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    exit(1);
  }
}
