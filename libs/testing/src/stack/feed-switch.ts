import { callHttp } from '../scenario/session';

/** Cuts the gate off from feed, leases and live check, or lets it come back; it has come back when this resolves. */
export async function switchFeed(
  action: 'cut' | 'join',
  name: string,
  { gateUrl, internalSecret }: { readonly gateUrl: string; readonly internalSecret: string },
): Promise<void> {
  if (name !== 'gate') throw new Error(`"${action}: ${name}": only the gate can be cut off`);
  const headers = { 'x-tallygate-internal': internalSecret };
  const answer = await callHttp(`${gateUrl}/internal/feed/${action}`, { method: 'POST', headers });
  const done = action === 'cut' || answer.body?.['feed_up'] === true;
  if (answer.status >= 300 || !done)
    throw new Error(`the gate answered ${answer.status} ${JSON.stringify(answer.body)} to "${action}"`);
}
