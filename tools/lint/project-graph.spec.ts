import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Dependencies = Readonly<Record<string, readonly { readonly target: string }[]>>;

const ROOT = join(__dirname, '../..');

/** As `npx nx graph` draws it, without packages from outside. */
function projectGraph(): ReadonlyMap<string, readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tallygate-graph-'));
  try {
    const file = join(folder, 'graph.json');
    execFileSync(join(ROOT, 'node_modules/.bin/nx'), ['graph', `--file=${file}`], {
      cwd: ROOT,
      stdio: 'ignore',
    });
    const { graph } = JSON.parse(readFileSync(file, 'utf8')) as { graph: { dependencies: Dependencies } };
    const projects = Object.entries(graph.dependencies);
    const names = new Set(projects.map(([name]) => name));
    return new Map(
      projects.map(([name, uses]) => [
        name,
        uses.map(({ target }) => target).filter((use) => names.has(use)),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A way from a project back to itself; null when there is none. */
function circleFrom(
  graph: ReadonlyMap<string, readonly string[]>,
  way: readonly string[],
): readonly string[] | null {
  for (const next of graph.get(way.at(-1) ?? '') ?? []) {
    if (next === way[0]) return [...way, next];
    const circle = way.includes(next) ? null : circleFrom(graph, [...way, next]);
    if (circle !== null) return circle;
  }
  return null;
}

describe('the project graph', () => {
  const graph = projectGraph();

  it('sees who uses whom', () => {
    expect(graph.get('ledger')).toEqual(expect.arrayContaining(['kernel', 'contracts', 'platform']));
  });

  it.each([...graph.keys()])('has no way from %s back to itself', (name) => {
    expect(circleFrom(graph, [name])).toBeNull();
  });
});
