import { createRequire } from 'node:module';
import { calmRequestQueues } from './kafkajs-request-queue';

interface Request {
  readonly entry: { readonly correlationId: number; readonly resolve: () => void };
  readonly expectResponse: true;
  readonly sendRequest: () => void;
}

interface Queue {
  push(request: Request): void;
  maybeThrottle(ms: number): void;
  fulfillRequest(response: { correlationId: number; payload: Buffer; size: number }): void;
}

const RequestQueue = createRequire(__filename)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => Queue;

beforeAll(() => calmRequestQueues());
beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function newQueue(maxInFlightRequests: number | null = null): {
  queue: Queue;
  sent: number[];
  push: (id: number) => void;
} {
  const logger = { debug: () => undefined, warn: () => undefined };
  const queue = new RequestQueue({
    maxInFlightRequests,
    requestTimeout: 1_000,
    clientId: 'spec',
    broker: 'b:1',
    logger,
  });
  const sent: number[] = [];
  const push = (id: number) =>
    queue.push({
      entry: { correlationId: id, resolve: () => undefined },
      expectResponse: true,
      sendRequest: () => void sent.push(id),
    });
  return { queue, sent, push };
}

const answer = (correlationId: number) => ({ correlationId, payload: Buffer.alloc(0), size: 0 });

describe('the request queue of kafkajs', () => {
  it('sets no timer while nothing waits', () => {
    const { queue, push } = newQueue();
    push(1);
    queue.fulfillRequest(answer(1));
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends what a broker told it to hold back when the time is over', () => {
    const { queue, sent, push } = newQueue();
    queue.maybeThrottle(200);
    push(1);
    expect(sent).toEqual([]);
    jest.advanceTimersByTime(250);
    expect(sent).toEqual([1]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends what waited for a place when one is free', () => {
    const { queue, sent, push } = newQueue(1);
    push(1);
    push(2);
    expect(sent).toEqual([1]);
    queue.fulfillRequest(answer(1));
    expect(sent).toEqual([1, 2]);
  });
});
