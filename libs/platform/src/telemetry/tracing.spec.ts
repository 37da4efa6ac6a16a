import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { extractTrace, injectTrace, startTracing, withSpan } from './tracing';

const traceId = () => trace.getActiveSpan()?.spanContext().traceId;

/** Keeps what was exported; the library's own forgets it when it is shut down. */
function keeping(kept: ReadableSpan[]): SpanExporter {
  const exporter = new InMemorySpanExporter();
  exporter.export = (spans, done) => {
    kept.push(...spans);
    done({ code: 0 });
  };
  return exporter;
}

describe('tracing', () => {
  it('does nothing without an endpoint', async () => {
    const stop = startTracing('spec', undefined);
    expect(await withSpan('work', {}, async () => traceId() ?? 'none')).toBe('none');
    expect(injectTrace({ a: 'b' })).toEqual({ a: 'b' });
    await stop();
  });

  it('carries the trace in W3C headers from one span to the next and exports every span', async () => {
    const kept: ReadableSpan[] = [];
    const urls: string[] = [];
    const stop = startTracing('spec', 'http://collector:4318/', (url) => {
      urls.push(url);
      return keeping(kept);
    });
    const sent = await withSpan('send', {}, async () => ({
      headers: injectTrace({ tenant: 't' }),
      id: traceId(),
    }));
    expect(sent.headers).toEqual({
      tenant: 't',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    const received = await withSpan('receive', {}, async () => traceId(), extractTrace(sent.headers));
    await expect(withSpan('fails', {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await stop();
    expect(received).toBe(sent.id);
    expect(urls).toEqual(['http://collector:4318/v1/traces']);
    expect(kept.map((span) => `${span.name} ${span.status.code}`)).toEqual([
      'send 0',
      'receive 0',
      'fails 2',
    ]);
  });
});
