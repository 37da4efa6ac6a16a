import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';

type Headers = Readonly<Record<string, string>>;

let exporting = false;

/**
 * Starts exporting spans when an endpoint is configured; without one every call below costs a branch. OpenTelemetry
 * keeps its tracer per process, so this is called once by the process, not by each service in it.
 * @returns what flushes and ends it
 */
export function startTracing(
  service: string,
  endpoint: string | undefined,
  exporterOf: (url: string) => SpanExporter = (url) => new OTLPTraceExporter({ url }),
): () => Promise<void> {
  if (endpoint === undefined) return async () => undefined;
  const exporter = exporterOf(`${endpoint.replace(/\/$/, '')}/v1/traces`);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register();
  exporting = true;
  return async () => {
    exporting = false;
    await provider.shutdown();
  };
}

export async function withSpan<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
  parent?: Context,
): Promise<T> {
  if (!exporting) return work();
  return trace
    .getTracer('tallygate')
    .startActiveSpan(name, { attributes }, parent ?? context.active(), async (span) => {
      try {
        return await work();
      } catch (error) {
        span.setStatus({
          code: SpanStatusCode.ERROR,
          message: error instanceof Error ? error.message : String(error),
        });
        throw error;
      } finally {
        span.end();
      }
    });
}

/** The headers with the present span's W3C trace context added. */
export function injectTrace(headers: Headers): Record<string, string> {
  const carrier = { ...headers };
  if (exporting) propagation.inject(context.active(), carrier);
  return carrier;
}

/** The context a message's headers name, to be handed to `withSpan` as the parent. */
export function extractTrace(headers: Headers): Context {
  return exporting ? propagation.extract(context.active(), headers) : context.active();
}
