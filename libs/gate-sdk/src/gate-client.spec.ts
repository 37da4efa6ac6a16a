import { ManualClock, MICROS, NANO, addMicros, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import type { DecisionRequest } from '@tallygate/decision';
import { httpAnswer } from './domain/verdict';
import type { Verdict } from './domain/verdict';
import { GateClient } from './gate-client';
import type { Ask, GateOptions } from './gate-client';
import { MemoryFeed } from './memory-feed';
import { LiveCheck } from './service/live-check';
import type { LiveAnswer } from './service/live-check';
import { EVERYTHING, TENANT, catalog, clock, credential, customer, feature, tenant } from './testing/sample';

const START = at('2026-03-10T12:00:00Z');

function at(text: string): Instant {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
}

class ScriptedCheck extends LiveCheck {
  readonly asked: DecisionRequest[] = [];
  answer: LiveAnswer | null = null;

  override async check(request: DecisionRequest): Promise<LiveAnswer | null> {
    this.asked.push(request);
    return this.answer;
  }

  override close(): void {}
}

let time: ManualClock;
let feed: MemoryFeed;
let live: ScriptedCheck;
let gate: GateClient;

async function start(options: Partial<GateOptions> = {}): Promise<GateClient> {
  gate = await GateClient.start({
    gateId: 'gate-1',
    credential: 'unused',
    clock: time,
    transports: [feed],
    liveCheck: live,
    ...options,
  });
  return gate;
}

async function follow(options: Partial<GateOptions> = {}): Promise<void> {
  feed.put(...EVERYTHING);
  await start(options);
  await gate.until(({ up }) => up);
}

const ask = (changes: Ask = {}): Ask => ({ credential: 'secret', features: ['completions'], ...changes });

async function answer(changes: Ask = {}): Promise<Verdict> {
  return gate.authorize(ask(changes));
}

async function reason(changes: Ask = {}): Promise<string> {
  return (await answer(changes)).reason;
}

beforeEach(() => {
  time = new ManualClock(START);
  feed = new MemoryFeed(time);
  live = new ScriptedCheck();
});
afterEach(() => gate.close());

describe('a gate that follows', () => {
  it('decides at once, without a promise, about a key it knows', async () => {
    await follow();
    expect(gate.authorize(ask())).toMatchObject({ allow: true, status: 200, reason: 'ok' });
    expect(live.asked).toEqual([]);
  });

  it('takes every change, and acknowledges what it holds', async () => {
    await follow();
    feed.put(customer('0'));
    expect(await reason()).toBe('credit_exhausted');
    feed.put(customer('1'));
    expect(await reason()).toBe('ok');
    expect(feed.replies.at(-1)).toEqual({ message: 'ack', ack: { token: feed.token, digest: feed.digest } });
  });

  it('answers with the whole problem of the denial', async () => {
    await follow();
    feed.put(customer('0'));
    const denied = httpAnswer(await answer({ path: '/v1/completions' }));
    expect(denied.status).toBe(402);
    expect(denied.headers).toMatchObject({
      'Billing-Gate-Reason': 'credit_exhausted',
      'Cache-Control': 'no-store',
    });
    expect(JSON.parse(denied.body)).toMatchObject({
      code: 'CREDIT_EXHAUSTED',
      instance: '/v1/completions',
      snapshot_revision: feed.token,
    });
  });

  it('reads a named subject before a credential that is meant for somebody else', async () => {
    await follow();
    expect(await reason({ subject: 'acme-1', credential: 'a token of another system' })).toBe('ok');
    expect(await reason({ credential: null, customer: 'acme' })).toBe('ok');
    expect(await reason({ credential: '' })).toBe('credential_missing');
  });

  it('flips by the service’s clock, not by its own', async () => {
    feed = new MemoryFeed(new ManualClock(addMicros(START, MICROS.hour)));
    feed.put(
      tenant(),
      catalog(),
      customer('10'),
      credential('secret', { expiresAt: '2026-03-10T12:59:00Z' }),
    );
    await start();
    await gate.until(({ up }) => up);
    expect(await reason()).toBe('credential_expired');
  });
});

describe('a feed that lies or breaks', () => {
  it('has its snapshot refused, and the old state stays in use', async () => {
    await follow();
    feed.lieOnce();
    feed.bookmark();
    expect(feed.replies.map(({ message }) => message)).toContain('nack');
    expect(await reason()).toBe('ok');
    expect(gate.status()).toMatchObject({ drifts: 1, digest: feed.digest });
  });

  it('starts nothing on a snapshot whose digest is wrong', async () => {
    feed.put(...EVERYTHING);
    feed.lieOnce();
    await start();
    await gate.until(({ up }) => up);
    expect(feed.replies[0]?.message).toBe('nack');
    expect(await reason()).toBe('ok');
  });

  it('is gone on with from the token, by changes alone', async () => {
    await follow();
    feed.stop();
    feed.put(customer('0'));
    expect(await reason()).toBe('ok');
    feed.serve();
    await gate.until(({ revision }) => revision === feed.token);
    expect(await reason()).toBe('credit_exhausted');
    expect(gate.status().digest).toBe(feed.digest);
  });

  it('makes allows stale after 5 s, and gives way to the fail mode after 60 s', async () => {
    feed.put(tenant(), catalog(feature(), feature({ key: 'burst', onOutage: 'open' })), customer('10'));
    await start();
    await gate.until(({ up }) => up);
    gate.cut();
    const reasons = async (features: string[]) => reason({ subject: 'acme-1', features });
    expect(await reasons(['completions'])).toBe('ok');
    time.set(addMicros(START, 5 * MICROS.second));
    expect(await reasons(['completions'])).toBe('stale_allow');
    time.set(addMicros(START, 60 * MICROS.second));
    expect(await reasons(['completions'])).toBe('stale_allow');
    time.set(addMicros(START, 60 * MICROS.second + 1));
    expect(await reasons(['completions'])).toBe('entitlement_stale');
    expect(await reasons(['burst'])).toBe('stale_allow');
    gate.join();
    await gate.until(({ up }) => up);
    expect(await reasons(['completions'])).toBe('ok');
  });

  it('answers 503 before anything was ever heard', async () => {
    feed.stop();
    await start();
    expect(await answer()).toMatchObject({ status: 503, reason: 'entitlement_unavailable' });
    expect(await reason({ credential: null })).toBe('credential_missing');
  });
});

describe('a test tenant’s clock', () => {
  const follows = async (): Promise<void> => {
    const trial = credential('secret', { expiresAt: '2030-01-01T12:00:00Z' });
    feed.put(tenant({ mode: 'test' }), catalog(), customer('10'), trial, clock('2030-01-01T00:00:00Z'));
    await start();
    await gate.until(({ up }) => up);
  };

  it('decides instead of the system’s, and the feed is of no age while it is up', async () => {
    await follows();
    time.set(addMicros(START, MICROS.hour));
    expect(await reason()).toBe('ok');
    feed.put(clock('2030-01-01T12:00:00Z'));
    expect(await reason()).toBe('credential_expired');
  });

  it('goes on at a gate that is cut off, where the feed ages by it', async () => {
    await follows();
    gate.cut();
    gate.moveClock(TENANT, at('2030-01-01T00:00:04Z'));
    expect(await reason()).toBe('ok');
    gate.moveClock(TENANT, at('2030-01-01T00:00:05Z'));
    expect(await reason()).toBe('stale_allow');
    gate.moveClock(TENANT, at('2030-01-01T00:01:01Z'));
    expect(await reason()).toBe('entitlement_stale');
    gate.moveClock(TENANT, at('2030-01-01T12:00:00Z'));
    expect(await reason()).toBe('credential_expired');
  });
});

describe('limits', () => {
  const limited = [
    tenant(),
    catalog(
      feature({ key: 'burst', kind: 'boolean', price: null, rateLimit: { limit: 3, per: 'minute' } }),
      feature({ key: 'gpu', kind: 'boolean', price: null, concurrency: 1 }),
      feature(),
    ),
    customer('10'),
    credential('secret'),
  ] as const;

  beforeEach(async () => {
    feed.put(...limited);
    await start();
    await gate.until(({ up }) => up);
  });

  it('let exactly the limit pass at one instant, and all again after the time', async () => {
    const burst = () => answer({ features: ['burst'] });
    const statuses = async (count: number) => {
      const list: number[] = [];
      for (let sent = 0; sent < count; sent += 1) list.push((await burst()).status);
      return list;
    };
    expect(await statuses(5)).toEqual([200, 200, 200, 429, 429]);
    expect(httpAnswer(await burst()).headers).toMatchObject({
      'Retry-After': '20',
      'RateLimit-Policy': '"burst";q=3;w=60',
      RateLimit: '"burst";r=0;t=20',
    });
    time.set(addMicros(START, MICROS.minute));
    expect(await statuses(4)).toEqual([200, 200, 200, 429]);
  });

  it('use up nothing for a request that is refused for another feature, or only looked at', async () => {
    feed.put(customer('0'));
    for (let sent = 0; sent < 5; sent += 1) {
      expect(await reason({ features: ['burst', 'completions'] })).toBe('credit_exhausted');
      await gate.preflight(ask({ features: ['burst'] }));
    }
    expect(await reason({ features: ['burst'] })).toBe('ok');
  });

  it('count a feature once, however often a request names it', async () => {
    for (let sent = 0; sent < 3; sent += 1) expect(await reason({ features: ['burst', 'burst'] })).toBe('ok');
    expect(await reason({ features: ['burst'] })).toBe('rate_limited');
  });

  it('keep a slot until the request is finished', async () => {
    const first = await answer({ features: ['gpu'], open: 'training' });
    expect(first.status).toBe(200);
    expect(await reason({ features: ['gpu'], open: true })).toBe('concurrency_limited');
    expect(gate.finish({ decisionId: first.decisionId })).toBe(true);
    expect(gate.finish({ decisionId: first.decisionId })).toBe(false);
    const second = await answer({ features: ['gpu'], open: 'training' });
    expect(second.status).toBe(200);
    expect(gate.finish({ name: 'training' })).toBe(true);
    expect(gate.status().inFlight).toBe(0);
  });

  it('are shared among the gates there are', async () => {
    await gate.close();
    await start({ gates: 3 });
    await gate.until(({ up }) => up);
    expect(await reason({ features: ['burst'] })).toBe('ok');
    expect(await reason({ features: ['burst'] })).toBe('rate_limited');
  });
});

describe('a key that the copy does not hold', () => {
  const said = (changes: Partial<LiveAnswer>): LiveAnswer => ({
    allow: false,
    status: 401,
    reason: 'credential_unknown',
    decisionId: 'd',
    headers: {},
    problem: '{}',
    ...changes,
  });

  beforeEach(() => follow());

  it('is asked about, and refused without asking for a second', async () => {
    live.answer = said({});
    expect(await answer({ credential: 'made up' })).toMatchObject({
      status: 401,
      reason: 'credential_unknown',
    });
    expect(gate.authorize(ask({ credential: 'made up' }))).toMatchObject({ status: 401 });
    expect(live.asked).toHaveLength(1);
    time.set(addMicros(START, MICROS.second));
    await answer({ credential: 'made up' });
    expect(live.asked).toHaveLength(2);
  });

  it('is 503 when the service cannot be asked, and asked about anew', async () => {
    expect(await answer({ credential: 'new' })).toMatchObject({ status: 503, reason: 'entitlement_unknown' });
    await answer({ credential: 'new' });
    expect(live.asked).toHaveLength(2);
    gate.cut();
    expect(await reason({ credential: 'new' })).toBe('entitlement_unknown');
    expect(live.asked).toHaveLength(2);
  });

  it('is answered by the service where the entry is still on its way', async () => {
    live.answer = said({ allow: true, status: 200, reason: 'ok', problem: '', headers: { a: 'b' } });
    const verdict = await answer({ credential: 'new' });
    expect(httpAnswer(verdict)).toEqual({ status: 200, headers: { a: 'b' }, body: '' });
  });

  it('is decided here when its entry comes while the question is out', async () => {
    live.answer = said({ allow: true, status: 200, reason: 'ok', problem: '' });
    const pending = gate.authorize(ask({ credential: 'new' }));
    feed.put(credential('new'));
    expect((await pending).local).not.toBeNull();
  });

  it('is asked about once for all who wait', async () => {
    live.answer = said({});
    const verdicts = await Promise.all([1, 2, 3].map(() => answer({ credential: 'made up' })));
    expect(verdicts.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(live.asked).toHaveLength(1);
  });
});

describe('a price limit', () => {
  it('denies before anything is spent', async () => {
    await follow();
    expect(await reason({ units: 10n * NANO, maxPrice: 19_999_999n })).toBe('price_above_limit');
  });
});
