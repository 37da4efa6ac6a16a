import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

/** A registry of its own per process or per test, never prom-client's global one. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Registry {
  const registry = new Registry();
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry });
  return registry;
}

/** The metric of that name, created by whoever asks first: several services of a process share one, told apart by label. */
export function counter<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
): Counter<L> {
  const known = registry.getSingleMetric(name);
  return known === undefined
    ? new Counter({ name, help, labelNames, registers: [registry] })
    : (known as Counter<L>);
}

export function gauge<L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
): Gauge<L> {
  const known = registry.getSingleMetric(name);
  return known === undefined
    ? new Gauge({ name, help, labelNames, registers: [registry] })
    : (known as Gauge<L>);
}
