import { sample } from '@tallygate/gate-sdk';
import { SealedDenials } from './http/sealed-denial';
import { INTERNAL_SECRET, call, startRig } from './testing/rig';
import type { Rig } from './testing/rig';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig({ routes: [{ prefix: '/v1/gpu', feature: ['gpu'], units_header: 'x-gpu-seconds' }] });
  rig.feed.put(
    sample.tenant(),
    sample.catalog(
      sample.feature(),
      sample.feature({ key: 'gpu', kind: 'boolean', price: null, concurrency: 1 }),
      sample.feature({ key: 'burst', kind: 'boolean', price: null, rateLimit: { limit: 2, per: 'hour' } }),
    ),
    sample.customer('10'),
    sample.credential('secret'),
  );
});
afterEach(() => rig.gate.close());

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  call(`${rig.gate.url}${path}`, { method, headers: { authorization: 'Bearer secret', ...headers } });
const finish = (body: object) =>
  call(`${rig.gate.url}/finish`, { method: 'POST', body: JSON.stringify(body) });

describe('/authorize', () => {
  it.each(['GET', 'POST', 'DELETE', 'OPTIONS'])('answers %s with a pass without a body', async (method) => {
    const answer = await ask('/authorize', { 'x-tallygate-feature': 'completions' }, method);
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'billing-gate-reason': 'ok' } });
  });

  it.each([
    ['Bearer secret', {}],
    ['bearer secret', {}],
    ['Basic c2VjcmV0', { 'x-api-key': 'secret' }],
    ['Basic c2VjcmV0', { 'x-tallygate-subject': 'acme-1' }],
  ])('knows a caller by %s and %j', async (authorization, headers) => {
    expect((await ask('/authorize', { ...headers, authorization })).status).toBe(200);
  });

  it('asks about several features at once, and names every one that is refused', async () => {
    rig.feed.put(sample.customer('0'));
    const answer = await ask('/authorize', { 'x-tallygate-feature': 'nothing, completions' });
    expect(answer.body).toMatchObject({
      status: 403,
      violated: [
        { feature: 'nothing', reason: 'feature_forbidden' },
        { feature: 'completions', reason: 'credit_exhausted' },
      ],
    });
  });

  it('takes feature and units from the route of the original path, where nobody names them', async () => {
    const opened = await ask('/authorize', {
      'x-original-uri': '/v1/gpu/jobs?key=hidden',
      'x-tallygate-open': 'job',
    });
    expect(opened.status).toBe(200);
    const second = await ask('/authorize', { 'x-forwarded-uri': '/v1/gpu', 'x-gpu-seconds': '2.5' });
    expect(second.body).toMatchObject({ status: 429, feature: 'gpu', required: '2.5', instance: '/v1/gpu' });
    expect((await ask('/authorize', { 'x-original-uri': '/v1/gpus' })).status).toBe(200);
  });

  it('names every field that cannot be read', async () => {
    const answer = await ask('/authorize', { 'x-tallygate-units': '-1', 'x-tallygate-max-price': 'cheap' });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({
      code: 'invalid_request',
      faults: [
        { field: 'X-Tallygate-Units', value: '-1', problem: 'negative' },
        { field: 'X-Tallygate-Max-Price', value: 'cheap', problem: 'not_a_decimal' },
      ],
    });
  });

  it('keeps a slot of an open request until it is finished', async () => {
    const gpu = { 'x-tallygate-feature': 'gpu', 'x-tallygate-open': 'training' };
    const first = await ask('/authorize', gpu);
    expect((await ask('/authorize', gpu)).headers['billing-gate-reason']).toBe('concurrency_limited');
    expect(
      await finish({ open: 'training', decision: first.headers['billing-gate-decision'] }),
    ).toMatchObject({
      status: 200,
      body: { finished: true },
    });
    expect((await ask('/authorize', gpu)).status).toBe(200);
    expect((await finish({ open: 'training' })).status).toBe(200);
    expect((await finish({ open: 'training' })).body).toMatchObject({ status: 404, code: 'open_not_found' });
  });

  it.each(['', 'not json', '[1', 'null', '"text"'])('takes %j for no finish', async (body) => {
    expect((await call(`${rig.gate.url}/finish`, { method: 'POST', body })).status).toBe(400);
  });
});

describe('/preflight', () => {
  it('says what a request would come to, and uses nothing', async () => {
    const burst = { 'x-tallygate-feature': 'burst' };
    for (let look = 0; look < 5; look += 1) expect((await ask('/preflight', burst)).status).toBe(200);
    const answer = await ask('/preflight', {
      'x-tallygate-feature': 'completions',
      'x-tallygate-units': '500',
    });
    expect(answer.body).toMatchObject({
      allowed: true,
      reason: 'ok',
      price: '1',
      unit: 'USD',
      required: '500',
    });
    await ask('/authorize', { ...burst, 'x-tallygate-preflight': 'true' });
    const used = [1, 2, 3].map(() => ask('/authorize', burst));
    expect((await Promise.all(used)).map(({ status }) => status).sort()).toEqual([200, 200, 429]);
  });

  it('denies as the request would be denied', async () => {
    rig.feed.put(sample.customer('0'));
    const headers = { 'x-tallygate-feature': 'completions' };
    const [look, use] = [await ask('/preflight', headers), await ask('/authorize', headers)];
    expect([look.status, look.body?.['code']]).toEqual([use.status, use.body?.['code']]);
  });
});

describe('the nginx profile', () => {
  it('says no with 403, and /deny says the rest', async () => {
    rig.feed.put(sample.customer('0'));
    const headers = { 'x-tallygate-feature': 'completions' };
    const no = await ask('/nginx', headers);
    expect([no.status, no.headers['x-tallygate-status'], no.text]).toEqual([403, '402', '']);
    const deny = await call(`${rig.gate.url}/deny`, {
      headers: { 'x-tallygate-deny': no.headers['x-tallygate-deny'] ?? '' },
    });
    expect(deny.status).toBe(402);
    expect(deny.headers['x-payment-required-reason']).toBe('credit_exhausted');
    expect(deny.body).toMatchObject({ decision_id: deny.headers['billing-gate-decision'] });
  });

  it('renders nothing that this installation did not seal', async () => {
    const forged = new SealedDenials('another installation').seal({
      status: 200,
      headers: {},
      body: 'welcome',
    });
    for (const sealed of [forged, forged.split('.')[0] ?? '', '', '.', 'x.y']) {
      const answer = await call(`${rig.gate.url}/deny`, { headers: { 'x-tallygate-deny': sealed } });
      expect([answer.status, answer.body?.['code']]).toEqual([503, 'ENTITLEMENT_UNAVAILABLE']);
    }
  });
});

describe('operations', () => {
  it('show what the gate holds', async () => {
    await ask('/authorize', { 'x-tallygate-feature': 'completions' });
    const state = await call(`${rig.gate.url}/state`);
    expect(state.body).toMatchObject({ gate: 'gate-1', feed_up: true, entries: 4, revision: rig.feed.token });
    expect((await call(`${rig.gate.url}/healthz`)).status).toBe(200);
    expect((await call(`${rig.gate.url}/readyz`)).status).toBe(200);
    const metrics = await call(`${rig.gate.url}/metrics`);
    expect(metrics.text).toContain('tallygate_gate_decisions_total{reason="ok"} 1');
    expect(metrics.text).toContain('tallygate_gate_feed_up 1');
    expect((await call(`${rig.gate.url}/nothing`)).status).toBe(404);
  });

  it('of the installation are for the installation', async () => {
    const post = (path: string, secret?: string) =>
      call(`${rig.gate.url}/internal/${path}`, {
        method: 'POST',
        headers: secret === undefined ? {} : { 'x-tallygate-internal': secret },
        body: '{}',
      });
    expect((await post('feed/cut')).status).toBe(401);
    expect((await post('feed/cut', 'a wrong one')).status).toBe(401);
    expect((await post('clock/settle', INTERNAL_SECRET)).status).toBe(422);
    expect((await post('clock/next-due', INTERNAL_SECRET)).body).toEqual({ nextDue: null });
    expect((await post('feed/cut', INTERNAL_SECRET)).body).toEqual({ cut: true });
    expect((await call(`${rig.gate.url}/state`)).body).toMatchObject({ feed_up: false });
    expect((await post('feed/join', INTERNAL_SECRET)).body).toEqual({ cut: false, feed_up: true });
  });
});
