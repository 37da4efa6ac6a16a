import type { MeteredEvent } from './usage';
import { packUsage, unpackUsage, UsagePack } from './usage-pack';

const event = (id: string, fields: Partial<MeteredEvent> = {}): MeteredEvent => ({
  tenantId: 'tenant',
  customerId: 'acme-id',
  subject: 'acme',
  source: 'gateway',
  id,
  type: 'llm.completion',
  occurredAt: 1_000_000,
  receivedAt: 2_000_000,
  payloadHash: 'f0'.repeat(16),
  readings: [{ meter: 'tokens', quantity: '7', group: { model: 'm1' }, features: ['completions'] }],
  ...fields,
});

describe('a pack of usage', () => {
  it('says once what its events share, and gives it back as the same', () => {
    const packed = packUsage('tenant', [event('a'), event('b')]);
    for (const shared of ['acme-id', 'gateway', 'llm.completion', 'tokens', 'm1'])
      expect(packed.toString().split(shared)).toHaveLength(2);
    const [a, b] = unpackUsage(packed);
    expect([a, b]).toEqual([event('a'), event('b')]);
    expect(a?.readings[0]?.group).toBe(b?.readings[0]?.group);
  });

  it('takes nothing more once something did not fit', () => {
    const room = packUsage('tenant', [event('a')]).length;
    const pack = new UsagePack('tenant', room + 60);
    expect(pack.add([event('a')])).toBe(true);
    expect(pack.add([event('b', { customerId: 'other-id', subject: 'a name that is too long here' })])).toBe(
      false,
    );
    expect(pack.add([event('c')])).toBe(false);
    expect(pack.toBuffer().length).toBeLessThanOrEqual(room + 60);
    expect(unpackUsage(pack.toBuffer())).toEqual([event('a')]);
  });

  it('takes one event however large it is', () => {
    const pack = new UsagePack('tenant', 10);
    expect(pack.add([event('a'), event('b')])).toBe(false);
    expect(new UsagePack('tenant', 10).add([event('a')])).toBe(true);
  });

  it('is told from anything else', () => {
    for (const text of ['null', '[]', '{"tenantId":"t"}', '{"tenantId":"t","events":[]}'])
      expect(() => unpackUsage(Buffer.from(text))).toThrow(`not a pack of usage: ${text}`);
    expect(unpackUsage(packUsage('tenant', []))).toEqual([]);
  });
});
