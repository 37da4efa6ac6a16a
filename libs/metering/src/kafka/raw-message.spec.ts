import type { IncomingMessage } from '@tallygate/platform';
import { NO_TENANT } from '../service/dead-letters';
import { MOST_BYTES, rawEvents } from './raw-message';

const TENANT = '00000000-0000-7000-8000-00000000000a';

function read(value: string | Buffer, headers: Record<string, string> = { tenant: TENANT }) {
  const message: IncomingMessage = {
    topic: 't',
    partition: 3,
    offset: 7n,
    key: 'k',
    value: Buffer.from(value),
    size: Buffer.byteLength(value),
    headers,
  };
  return rawEvents(message, () => 't:3:7').map(({ tenantId, origin, body, payload }) => ({
    tenantId,
    origin: origin(),
    body,
    payload: payload().toString(),
  }));
}

describe('rawEvents', () => {
  test('reads an event in structured mode; the letter would hold its bytes', () => {
    expect(read('{"id": 9007199254740993}')).toEqual([
      {
        tenantId: TENANT,
        origin: 't:3:7',
        body: { json: { id: 9007199254740992 } },
        payload: '{"id": 9007199254740993}',
      },
    ]);
  });

  test('reads each event of an array, with a place of its own', () => {
    expect(read('[{"id":"a"},{"id":"b"}]')).toMatchObject([
      { origin: 't:3:7:0', body: { json: { id: 'a' } }, payload: '{"id":"a"}' },
      { origin: 't:3:7:1', body: { json: { id: 'b' } }, payload: '{"id":"b"}' },
    ]);
    expect(read('[]')).toEqual([]);
  });

  test('reads binary mode, also without data', () => {
    const headers = { tenant: TENANT, ce_specversion: '1.0', ce_id: 'b', 'content-type': 'application/json' };
    expect(read('{"n":1}', headers)).toMatchObject([
      { body: { json: { specversion: '1.0', id: 'b', data: { n: 1 } } } },
    ]);
    expect(read('', headers)).toMatchObject([{ body: { json: { id: 'b', data: null } } }]);
  });

  test('a line of an access log names its tenant itself, as Fluent Bit sends it', () => {
    const line = {
      specversion: '1.0',
      accesslog: '1',
      id: 'r1',
      tenant: TENANT,
      subject: 'acme-1',
      data: {},
    };
    // Format raw is the line; format json puts its own time beside the members.
    const sent = [line, { '@timestamp': 1772323200.123456, ...line }].map((each) => JSON.stringify(each));
    for (const value of sent) {
      expect(read(value, {})).toMatchObject([
        { tenantId: TENANT, body: { json: { id: 'r1' } }, payload: value },
      ]);
    }
    const [header] = read(sent[0] ?? '', { tenant: TENANT.replace(/a$/, 'b') });
    expect(header?.tenantId).toBe(TENANT.replace(/a$/, 'b'));
    expect(read(JSON.stringify({ ...line, tenant: '' }), {})).toMatchObject([
      { tenantId: NO_TENANT, body: { code: 'tenant_missing' } },
    ]);
  });

  test.each<[string, string | Buffer, Record<string, string> | undefined, string]>([
    ['no tenant', '{}', {}, 'tenant_missing'],
    ['a tenant that is no id', '{}', { tenant: 'acme' }, 'tenant_missing'],
    ['no JSON', '{', undefined, 'not_json'],
    ['nothing', '', undefined, 'not_json'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), undefined, 'not_utf8'],
    ['more than 1 MiB', `"${'x'.repeat(MOST_BYTES)}"`, undefined, 'too_large'],
  ])('tells %s', (_, value, headers, code) => {
    const [raw] = read(value, headers);
    expect(raw).toMatchObject({
      tenantId: code === 'tenant_missing' ? NO_TENANT : TENANT,
      body: { code, faults: [{ fix: expect.any(String) }] },
    });
  });

  test('keeps the head of what is too large, whose rest nobody can use', () => {
    expect(read(Buffer.alloc(MOST_BYTES + 1))[0]?.payload).toHaveLength(64 * 1024);
  });
});
