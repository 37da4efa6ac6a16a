import { OpenRequests } from './open-requests';

const request = (decisionId: string, openedMs = 0, name: string | null = null) => ({
  decisionId,
  name,
  slots: ['acme gpu', 'acme cpu'],
  openedMs,
});

describe('requests in flight', () => {
  it('keep a slot of each feature until they are finished, once', () => {
    const open = new OpenRequests(1_000);
    open.open(request('d1'));
    open.open(request('d2'));
    expect(open.inFlight('acme gpu')).toBe(2);
    expect(open.finish('d1', null)).toBe(true);
    expect(open.finish('d1', null)).toBe(false);
    expect([open.inFlight('acme gpu'), open.inFlight('acme cpu'), open.size]).toEqual([1, 1, 1]);
  });

  it('are found by their caller’s name too', () => {
    const open = new OpenRequests(1_000);
    open.open(request('d1', 0, 'long'));
    expect(open.finish(null, 'other')).toBe(false);
    expect(open.finish(null, 'long')).toBe(true);
    expect(open.inFlight('acme gpu')).toBe(0);
  });

  it('lose their slots when they are never finished', () => {
    const open = new OpenRequests(1_000);
    open.open(request('d1', 0));
    open.open(request('d2', 1_000));
    expect(open.inFlight('acme gpu')).toBe(2);
    open.open(request('d3', 1_001));
    expect(open.inFlight('acme gpu')).toBe(2);
    expect(open.finish('d1', null)).toBe(false);
  });
});
