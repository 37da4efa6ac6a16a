import { catalogSchema } from '@tallygate/contracts';
import { addMicros, MICROS, parseInstant } from '@tallygate/kernel';
import type { Instant } from '@tallygate/kernel';
import { compileCatalog } from './meter';
import { readEvent } from './reading';
import { timeBounds } from './usage-event';

const now = at('2026-03-01T00:00:00Z');
const bounds = timeBounds(now, 35 * MICROS.day);
const catalog = compileCatalog(
  catalogSchema.parse({
    meters: [{ key: 'tokens', event_type: 'llm', aggregation: 'sum', value: '$.tokens' }],
  }),
);
const good = { specversion: '1.0', id: 'e1', source: 's', type: 'llm', subject: 'acme', data: { tokens: 5 } };

function at(text: string): Instant {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
}

const read = (changes: object) => readEvent({ ...good, ...changes }, bounds, catalog);
const faultsOf = (json: unknown) => {
  const reading = readEvent(json, bounds, catalog);
  return reading.kind === 'refused' ? reading.faults.map((found) => `${found.field} ${found.problem}`) : [];
};

describe('readEvent', () => {
  test('reads what is right', () => {
    expect(
      read({ time: '2026-02-28T23:59:59.123456+01:00', traceparent: 'x', dataschema: 'y' }),
    ).toMatchObject({
      kind: 'read',
      event: { id: 'e1', source: 's', type: 'llm', subject: 'acme', time: at('2026-02-28T22:59:59.123456Z') },
      readings: [{ meter: 'tokens', quantity: '5' }],
    });
  });

  test('reads a line of an access log: what was not there is left out', () => {
    const line = {
      accesslog: '1',
      tenant: 'x',
      subject: 'acme%201',
      time: '',
      data: { tokens: '5', model: '' },
    };
    expect(read(line)).toMatchObject({
      kind: 'read',
      event: { subject: 'acme 1', time: null, data: { tokens: '5' } },
      readings: [{ quantity: '5' }],
    });
    expect(faultsOf({ ...good, ...line, data: { tokens: '' } })).toHaveLength(1);
  });

  test.each<[string, object]>([
    ['no time', { time: undefined }],
    ['JSON with parameters', { datacontenttype: 'application/json; charset=utf-8' }],
    ['JSON of a vendor', { datacontenttype: 'application/vnd.acme+json' }],
    ['255 characters', { id: 'x'.repeat(255) }],
    ['any script', { subject: 'Ünïcode 客户 🙂' }],
    ['the oldest time', { time: '2026-01-25T00:00:00Z' }],
    ['the latest time', { time: '2026-03-01T00:05:00Z' }],
  ])('takes %s', (_, changes) => expect(read(changes).kind).toBe('read'));

  test.each<[object, string]>([
    [{ specversion: '0.3' }, 'specversion is not "1.0"'],
    [{ specversion: undefined }, 'specversion is not "1.0"'],
    [{ id: undefined }, 'id is required'],
    [{ id: 7 }, 'id is not a text'],
    [{ source: '' }, 'source is empty'],
    [{ type: 'x'.repeat(256) }, 'type is longer than 255 characters'],
    [{ subject: 'a\nb' }, 'subject has control characters or half a surrogate pair'],
    [{ subject: 'a\ud83d' }, 'subject has control characters or half a surrogate pair'],
    [{ subject: null }, 'subject is required'],
    [{ time: '2026-01-24T23:59:59.999999Z' }, 'time is older than the dedup window'],
    [{ time: '2026-03-01T00:05:00.000001Z' }, 'time is more than 5 minutes ahead'],
    [{ time: '1970-01-01T00:00:00Z' }, 'time is older than the dedup window'],
    [{ time: '2100-01-01T00:00:00Z' }, 'time is more than 5 minutes ahead'],
    [{ time: '2026-03-01' }, 'time is not an RFC 3339 time'],
    [{ time: '2026-03-01T00:00:00' }, 'time has no offset from UTC'],
    [{ time: 1772323200 }, 'time is not an RFC 3339 time'],
    [{ datacontenttype: 'text/xml' }, 'datacontenttype is not JSON'],
    [{ data: 'tokens=5' }, 'data is not a JSON object'],
    [{ data: [5] }, 'data is not a JSON object'],
    [{ data: undefined, data_base64: 'eyJ9' }, 'data_base64 cannot be metered'],
  ])('%j: %s', (changes, expected) => expect(faultsOf({ ...good, ...changes })).toContain(expected));

  test.each([null, [], 'event', 5, true])('%j is not an event', (json) =>
    expect(faultsOf(json)).toEqual([' is not an event']),
  );

  test('names every fault in one answer, those of the meters too', () => {
    const json = { specversion: '2', id: '', source: 5, type: 'llm', time: 'noon', data: { tokens: -1 } };
    expect(faultsOf(json)).toEqual([
      'specversion is not "1.0"',
      'id is empty',
      'source is not a text',
      'subject is required',
      'time is not an RFC 3339 time',
      'data.tokens is negative',
    ]);
  });

  test('refuses data that nest without end, and does not walk them', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`) as object;
    expect(faultsOf({ ...good, type: 'other', data: deep })).toEqual(['data nests deeper than 64 levels']);
  });

  test('an unknown type has no readings; a known one may have none', () => {
    expect(read({ type: 'other' })).toMatchObject({ readings: null });
    const filtered = compileCatalog(
      catalogSchema.parse({
        meters: [
          { key: 'm', event_type: 'llm', aggregation: 'count', filter: [{ path: '$.x', op: 'exists' }] },
        ],
      }),
    );
    expect(readEvent(good, bounds, filtered)).toMatchObject({ readings: [] });
  });

  test('an event that was let in before is not judged by its time again', () => {
    const old = { ...good, time: '2020-01-01T00:00:00Z' };
    expect(readEvent(old, null, catalog).kind).toBe('read');
    expect(readEvent(old, timeBounds(addMicros(now, 0), MICROS.day), catalog).kind).toBe('refused');
  });

  test('faults repeat what was sent in short and without control characters', () => {
    const reading = readEvent({ ...good, id: 'a\u0000b', subject: 'é'.repeat(300) }, bounds, catalog);
    expect(reading).toMatchObject({
      kind: 'refused',
      id: 'a\ufffdb',
      faults: [{ value: 'a\ufffdb' }, { value: `${'é'.repeat(64)}…` }],
    });
  });
});
