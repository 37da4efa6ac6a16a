import type { FastifyInstance } from 'fastify';

interface Pattern {
  readonly method: string;
  readonly parts: readonly string[];
}

/** Which methods a path knows: what a router that only finds routes cannot say of a request it has no route for. */
export class AllowedMethods {
  private readonly patterns: Pattern[] = [];

  /** Must be told before the routes are. */
  watch(fastify: Pick<FastifyInstance, 'addHook'>): this {
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) this.patterns.push({ method: one, parts: url.split('/') });
    });
    return this;
  }

  /** `METHOD /path/:param` of every route, without those that Fastify adds by itself. */
  routes(): readonly string[] {
    const all = this.patterns.filter(({ method, parts }) => method !== 'HEAD' && !parts.includes('*'));
    return all.map(({ method, parts }) => `${method} ${parts.join('/') || '/'}`);
  }

  at(url: string): readonly string[] {
    const [path = ''] = url.split('?');
    const parts = path.split('/');
    const matching = this.patterns.filter((pattern) => matches(pattern.parts, parts));
    return [...new Set(matching.map(({ method }) => method))].sort();
  }
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, place) => (part.startsWith(':') ? parts[place] !== '' : part === parts[place]))
  );
}
