import type { Session } from '@tallygate/testing';
import type { Story } from './story';

/** Prepaid credit: it runs out at the gateway, and a top-up lifts the 402. */
export async function partOne(story: Story, session: Session): Promise<void> {
  story.heading('1. Prepaid credit: 0.002 USD a token, 100 tokens a call, 1 USD of credit');
  await session.change(
    'ledger',
    'POST',
    '/v1/customers/acme/grants',
    { unit: 'USD', amount: '1', key: 'welcome' },
    'welcome',
  );
  await story.rest();
  for (const reason of ['ok', 'ok', 'ok', 'ok', 'low_balance']) {
    await story.request('/v1/completions', 'acme', { status: 200, reason }, 'USD');
    await story.rest();
  }
  await story.request('/v1/completions', 'acme', { status: 402, reason: 'credit_exhausted' }, 'USD');
  story.say('the customer tops up 5 USD');
  const paid = await session.change(
    'billing',
    'POST',
    '/v1/customers/acme/top-ups',
    { unit: 'USD', amount: '5', key: 'top-up-1' },
    'top-up-1',
  );
  story.check(paid.status === 201, `POST /v1/customers/acme/top-ups -> ${paid.status}`);
  await story.rest();
  await story.request('/v1/completions', 'acme', { status: 200, reason: 'ok' }, 'USD');
  await story.rest();
}

/** A renewal that is declined: grace, warning, suspension, and a new card that restores at once. */
export async function partTwo(story: Story, session: Session): Promise<void> {
  story.heading('2. A subscription at 49 USD a month whose renewal is declined');
  await session.sandbox('POST', '/control/script', {
    customer: 'globex',
    then: 'decline:insufficient_funds',
  });
  await story.until('2026-04-01T00:00:00Z');
  await story.request('/v1/search', 'globex', { status: 200, reason: 'grace_period' });
  await story.until('2026-04-04T00:00:00Z');
  await story.request('/v1/search', 'globex', { status: 200, reason: 'payment_warning' });
  await story.until('2026-04-15T00:00:00Z');
  await story.request('/v1/search', 'globex', { status: 402, reason: 'payment_past_due' });
  story.say('the customer sets a working card');
  await session.sandbox('POST', '/control/script', { customer: 'globex', then: 'ok' });
  await session.change('billing', 'PUT', '/v1/customers/globex/payment-method', {
    set: 'ok',
    brand: 'mastercard',
  });
  await story.until('2026-04-15T00:01:00Z');
  await story.request('/v1/search', 'globex', { status: 200, reason: 'ok' });
  const record = await session.sandbox('GET', `/control/captures?tenant=${session.tenantId}&customer=globex`);
  const captures = (record.body?.['list'] ?? []) as unknown[];
  story.check(
    captures.length === 2,
    `the payment provider's own record: ${captures.length} captures, ${String(record.body?.['total'])} USD`,
  );
}

/** Every other refusal has a status of its own. */
export async function partThree(story: Story, session: Session): Promise<void> {
  story.heading('3. Quota, rate limit, credentials, permission, our own outage: each its own status');
  const events = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      specversion: '1.0',
      id: `bulk-${from + index}`,
      source: 'demo',
      type: 'api.call',
      subject: 'initech',
      data: {},
    }));
  for (let from = 0; from < 10_000; from += 500) {
    const body = events(from, 500);
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    await session.call('ingestion', '/v1/events', { method: 'POST', body, headers });
  }
  await story.rest();
  story.say('initech has used its 10,000 included calls; this is the 10,001st');
  await story.request('/v1/search', 'initech', { status: 402, reason: 'quota_exceeded' });
  for (let call = 1; call <= 6; call += 1) {
    await story.request(
      '/v1/burst',
      'acme',
      call <= 5 ? { status: 200 } : { status: 429, reason: 'rate_limited' },
    );
  }
  await story.request('/v1/search', null, { status: 401, reason: 'credential_missing' });
  await story.request('/v1/admin', 'acme', { status: 403, reason: 'feature_forbidden' });
  await outage(story);
}

/** Our own trouble is never a 402: what the gate knows holds for a minute. */
async function outage(story: Story): Promise<void> {
  await story.gate('cut');
  await story.until('2026-04-15T00:02:00Z');
  await story.request('/v1/search', 'globex', { status: 200, reason: 'stale_allow' });
  await story.until('2026-04-15T00:02:01Z');
  await story.request('/v1/search', 'globex', { status: 503, reason: 'entitlement_stale' });
  await story.gate('join');
  await story.request('/v1/search', 'globex', { status: 200, reason: 'ok' });
}
