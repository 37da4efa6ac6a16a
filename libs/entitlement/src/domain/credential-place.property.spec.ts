import fc from 'fast-check';
import { CredentialPlace } from './credential-place';
import { FeedState } from './feed-state';

const step = fc.record({
  tenantId: fc.constantFrom('t1', 't2'),
  key: fc.constantFrom('a', 'b'),
  what: fc.constantFrom('put' as const, 'remove' as const, 'another copy' as const),
});

describe('the place of a credential', () => {
  it('says what the tenant’s own table says, whatever was replaced meanwhile', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const places = new Map(['a', 'b'].map((key) => [key, new CredentialPlace()]));
        let state = new FeedState();
        steps.forEach(({ tenantId, key, what }, index) => {
          if (what === 'another copy') state = new FeedState();
          const head = { tenantId, key, kind: 'credential' as const, version: index + 1 };
          if (what === 'remove') state.apply({ ...head, removed: true });
          else state.apply({ ...head, removed: false, payload: { ...PAYLOAD, subject: `s${index}` } });
          for (const asked of ['t1', 't2']) {
            const tenant = state.tenant(asked);
            if (tenant === undefined) continue;
            for (const [hash, place] of places)
              expect(place.in(tenant, hash)).toBe(tenant.credentials.get(hash));
          }
        });
      }),
      { numRuns: 500 },
    );
  });
});

const PAYLOAD = { customerId: 'c', expiresAt: null, revokedAt: null };
