import { parseArgs } from 'node:util';
import { catalogSchema } from '@tallygate/contracts';
import { EmbeddedStack, Session, type Stack } from '@tallygate/testing';
import { DEMO_CATALOG } from './demo/catalog';
import { gateRoutes } from './demo/gate-routes';
import { partOne, partThree, partTwo } from './demo/parts';
import { Story } from './demo/story';
import { startUpstream } from './demo/upstream';
import { type Output } from './output';
import { untilInterrupted } from './until-interrupted';

const OPTIONS = { exit: { type: 'boolean', default: false }, data: { type: 'string' } } as const;

/** `demo [--exit] [--data DIR]`: plays the main story; 1 when any step was not as told. */
export async function demoCommand(words: readonly string[], output: Output): Promise<number> {
  const { values } = parseArgs({ args: [...words], options: OPTIONS });
  output.line('starting PostgreSQL, every service, the gate and the sandbox payment provider in one place');
  const upstream = await startUpstream();
  const env = { PROXY_UPSTREAM: upstream.url, PROXY_ROUTES: gateRoutes() };
  const stack = await EmbeddedStack.start({ dataDir: values.data, env });
  try {
    const session = await openDemo(stack);
    const story = new Story(stack, session, output);
    await partOne(story, session);
    await partTwo(story, session);
    await partThree(story, session);
    output.line(
      story.failures === 0 ? '\nEverything went as told.' : `\n${story.failures} step(s) were not as told.`,
    );
    if (!values.exit) {
      nextSteps(stack, session, output);
      await untilInterrupted();
    }
    return story.failures === 0 ? 0 : 1;
  } finally {
    await stack.close();
    await upstream.close();
  }
}

/** A provider with a virtual clock, its catalog and three customers. */
export async function openDemo(stack: Stack): Promise<Session> {
  const head = {
    scenario: 'Demo provider',
    clock: '2026-03-01T00:00:00Z',
    timezone: 'UTC',
    currency: 'USD',
    settings: { disclose_balance: true },
    catalog: catalogSchema.parse(DEMO_CATALOG),
    customers: [],
  };
  const session = await Session.open(stack, head);
  await session.change('billing', 'PUT', '/v1/catalog', DEMO_CATALOG);
  await session.createCustomer({
    key: 'acme',
    plan: 'payg',
    subjects: ['acme'],
    email: 'billing@acme.example',
  });
  const card = { set: 'ok' };
  await session.createCustomer({
    key: 'globex',
    plan: 'monthly',
    subjects: ['globex'],
    email: 'billing@globex.example',
    payment_method: card,
  });
  await session.createCustomer({
    key: 'initech',
    plan: 'monthly',
    subjects: ['initech'],
    email: 'billing@initech.example',
    payment_method: card,
  });
  await session.settle();
  return session;
}

function nextSteps(stack: EmbeddedStack, session: Session, output: Output): void {
  const key = session.credentials.get('acme') ?? '';
  output.line('\nIt stays up for trying (Ctrl-C ends it):');
  output.line(
    `  a request as acme   curl -i -H 'Authorization: Bearer ${key}' ${stack.proxyUrl}/v1/completions`,
  );
  output.line(
    `  its wallet          curl -H 'Authorization: Bearer ${session.providerKey}' ${stack.urls.ledger}/v1/customers/acme/wallets/USD`,
  );
  output.line(
    `  its statement       curl -H 'Authorization: Bearer ${session.providerKey}' ${stack.urls.ledger}/v1/customers/acme/wallets/USD/entries`,
  );
  output.line(
    `  its notices         curl -H 'Authorization: Bearer ${session.providerKey}' ${stack.urls.notifier}/v1/customers/acme/notices`,
  );
}
