import { MissingServerError } from '@tallygate/infra-local';
import { FRONT_GATEWAYS, type GateName, RealStack } from '@tallygate/testing';
import { openDemo } from './demo.command';
import type { Output } from './output';
import { untilInterrupted } from './until-interrupted';

/** `stack`: the production stack on this machine, with the demo's provider in it, until it is interrupted. */
export async function stackCommand(_words: readonly string[], output: Output): Promise<number> {
  output.line(
    'starting Kafka, PostgreSQL, Redis, every service as a process, the gate agent and the gateways found',
  );
  const stack = await RealStack.start();
  try {
    const session = await openDemo(stack);
    for (const [name, url] of Object.entries({ ...stack.urls, agent: stack.agentUrl }))
      output.line(`  ${name.padEnd(12)}${url}`);
    for (const name of FRONT_GATEWAYS) output.line(`  ${name.padEnd(12)}${await whereFound(stack, name)}`);
    output.line(`  provider key  ${session.providerKey}`);
    for (const [customer, key] of session.credentials) output.line(`  ${customer.padEnd(12)}  ${key}`);
    output.line(`  tenant        ${session.tenantId}`);
    output.line('Ctrl-C ends it.');
    await untilInterrupted();
    return 0;
  } finally {
    await stack.close();
  }
}

/** A gateway that is not installed is named, and the stack does without it. */
async function whereFound(stack: RealStack, name: GateName): Promise<string> {
  try {
    return await stack.gateway(name);
  } catch (error) {
    if (error instanceof MissingServerError) return 'not installed; infra/local/install gets it';
    throw error;
  }
}
