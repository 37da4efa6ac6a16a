import fc from 'fast-check';
import { encodedText, eventOfLine, isAccessLine, ownerOf } from './access-line';

const LINE = {
  specversion: '1.0',
  accesslog: '1',
  id: 'r1',
  source: 'edge-1',
  type: 'gate.request',
  time: '2026-03-01T00:00:00Z',
  tenant: '00000000-0000-7000-8000-00000000000A',
  subject: 'acme%201',
  data: { status: '200', units: '', model: null, bytes_out: 12 },
} as const;

describe('a line of an access log', () => {
  it('means an event: what was not there is left out, and the subject is decoded', () => {
    expect(isAccessLine(LINE)).toBe(true);
    expect(eventOfLine(LINE)).toEqual({
      specversion: '1.0',
      id: 'r1',
      source: 'edge-1',
      type: 'gate.request',
      time: '2026-03-01T00:00:00Z',
      subject: 'acme 1',
      data: { status: '200', bytes_out: 12 },
    });
  });

  it('says whose it is', () => {
    expect(ownerOf(LINE)).toEqual({ tenant: '00000000-0000-7000-8000-00000000000a', subject: 'acme%201' });
    expect(ownerOf({ accesslog: '1', tenant: '', subject: '' })).toEqual({ tenant: null, subject: '' });
  });

  it('is nothing else: other events keep their empty texts', () => {
    for (const json of [null, 1, [], {}, { accesslog: 1 }]) expect(isAccessLine(json)).toBe(false);
  });

  it('leaves what is no subject and no data for the validation', () => {
    const line = { accesslog: '1', subject: 7, data: [] } as const;
    expect(eventOfLine(line)).toEqual({ subject: 7, data: [] });
    expect(eventOfLine({ ...line, subject: '%E0%A4%A' })).toMatchObject({ subject: '%E0%A4%A' });
  });

  it('carries every subject through plain ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (subject) => {
        const encoded = encodedText(subject);
        expect(encoded).toMatch(/^[!#$&-[\]-~%]*$/);
        expect(eventOfLine({ accesslog: '1', subject: encoded })['subject']).toBe(subject);
      }),
    );
  });
});
