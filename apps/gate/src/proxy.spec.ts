import { UsageSink, sample } from '@tallygate/gate-sdk';
import type { Delivery, UsageEvent } from '@tallygate/gate-sdk';
import { routesSchema } from './http/route';
import { Upstream, call, startRig } from './testing/rig';
import type { Rig } from './testing/rig';

class Kept extends UsageSink {
  readonly events: UsageEvent[] = [];

  override async send(_: string, events: readonly UsageEvent[]): Promise<Delivery> {
    this.events.push(...events);
    return { taken: events.length, refused: 0, problem: null };
  }

  override async close(): Promise<void> {}
}

const ROUTES = routesSchema.parse([
  {
    prefix: '/v1/completions',
    feature: 'completions',
    units_header: 'X-Units',
    usage: {
      type: 'llm.completion',
      data: { tokens: '$response.x-tokens', model: '$request.x-model', via: 'proxy' },
    },
  },
  { prefix: '/v1/gpu', feature: 'gpu' },
]);

let rig: Rig;
let upstream: Upstream;
let sink: Kept;

beforeEach(async () => {
  upstream = await Upstream.start();
  sink = new Kept();
  rig = await startRig({
    routes: ROUTES,
    proxy: { port: 0, upstream: upstream.url },
    client: { gateId: 'gate-1', credential: 'c', usage: { sink } },
  });
  const gpu = sample.feature({ key: 'gpu', kind: 'boolean', price: null, concurrency: 1 });
  rig.feed.put(
    sample.tenant(),
    sample.catalog(sample.feature(), gpu),
    sample.customer('10'),
    sample.credential('secret'),
  );
});
afterEach(async () => {
  await rig.gate.close();
  await upstream.stop();
});

const send = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  call(`${rig.gate.proxyUrl}${path}`, { ...init, headers: { authorization: 'Bearer secret', ...headers } });
const reported = async (): Promise<readonly UsageEvent[]> => {
  await rig.gate.client.usageDelivered();
  return sink.events;
};

describe('the built-in proxy', () => {
  it('passes on what may pass, with what the gate says about it', async () => {
    upstream.headers = { 'x-tokens': '42', 'x-own': 'kept' };
    const answer = await send(
      '/v1/completions?stream=true',
      { 'x-model': 'm1' },
      { method: 'POST', body: '{"q":1}' },
    );
    expect(answer).toMatchObject({
      status: 200,
      text: 'served',
      headers: { 'x-own': 'kept', 'billing-gate-reason': 'ok' },
    });
    expect(upstream.requests).toMatchObject([
      {
        url: '/v1/completions?stream=true',
        body: '{"q":1}',
        headers: { 'billing-gate-reason': 'ok', 'x-model': 'm1' },
      },
    ]);
  });

  it('reports usage of what was served, by the route’s template', async () => {
    upstream.headers = { 'x-tokens': '42' };
    const answer = await send('/v1/completions', { 'x-model': 'm1' });
    expect(await reported()).toMatchObject([
      {
        id: answer.headers['billing-gate-decision'],
        source: 'gate-1',
        type: 'llm.completion',
        subject: 'acme-1',
        data: { tokens: '42', model: 'm1', via: 'proxy' },
      },
    ]);
  });

  it('reports nothing of what failed or was refused, and leaves out what an answer does not say', async () => {
    upstream.status = 500;
    expect((await send('/v1/completions')).status).toBe(500);
    rig.feed.put(sample.customer('0'));
    expect((await send('/v1/completions')).status).toBe(402);
    rig.feed.put(sample.customer('10'));
    upstream.status = 201;
    await send('/v1/completions');
    expect((await reported()).map(({ data }) => data)).toEqual([{ via: 'proxy' }]);
  });

  it('never lets a denied request reach the backend', async () => {
    rig.feed.put(sample.customer('0'));
    const answer = await send('/v1/completions');
    expect(answer.body).toMatchObject({ code: 'CREDIT_EXHAUSTED', instance: '/v1/completions' });
    expect(upstream.requests).toEqual([]);
  });

  it('believes nothing that a client says under the gate’s names', async () => {
    const lies = {
      'x-tallygate-subject': 'acme-1',
      'x-tallygate-feature': 'gpu',
      'billing-gate-reason': 'override',
    };
    const answer = await call(`${rig.gate.proxyUrl}/v1/completions`, { headers: lies });
    expect(answer.headers['billing-gate-reason']).toBe('credential_missing');
    await send('/v1/completions', lies);
    expect(upstream.requests[0]?.headers).toMatchObject({ 'billing-gate-reason': 'ok' });
    expect(upstream.requests[0]?.headers['x-tallygate-subject']).toBeUndefined();
  });

  it('asks for as many units as the route’s header says', async () => {
    expect((await send('/v1/completions', { 'x-units': '5001' })).body).toMatchObject({
      code: 'CREDIT_INSUFFICIENT',
    });
  });

  it('keeps a slot for as long as the request takes', async () => {
    expect((await send('/v1/gpu')).status).toBe(200);
    expect((await send('/v1/gpu')).status).toBe(200);
    const both = await Promise.all([send('/v1/gpu'), send('/v1/gpu')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 429]);
    expect(rig.gate.client.status().inFlight).toBe(0);
  });

  it('is not the agent: its routes are not there', async () => {
    expect((await send('/healthz')).text).toBe('served');
    expect((await send('/finish', {}, { method: 'POST' })).text).toBe('served');
  });

  it('answers 502 for a backend that is away, which is no matter of entitlement', async () => {
    await upstream.stop();
    expect((await send('/v1/completions')).body).toMatchObject({ status: 502, code: 'upstream_unavailable' });
    expect(await reported()).toEqual([]);
  });
});
