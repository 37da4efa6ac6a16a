import { CachedKeyDirectory } from './cached-key-directory';
import { KeyDirectory } from './principal';
import type { Principal } from './principal';

const PRINCIPAL: Principal = { tenantId: 't', mode: 'live', keyId: 'k', scopes: ['read'] };

class Source extends KeyDirectory {
  asked: string[] = [];
  known = new Map<string, Principal>([['good', PRINCIPAL]]);
  down = false;

  override async find(hash: string): Promise<Principal | null> {
    this.asked.push(hash);
    if (this.down) throw new Error('billing is away');
    return this.known.get(hash) ?? null;
  }
}

function setup(most?: number) {
  const source = new Source();
  const at = { ms: 0 };
  return { source, at, directory: new CachedKeyDirectory(source, () => at.ms, most) };
}

describe('the cached key directory', () => {
  it.each([
    ['a known key', 'good', 29_999, 1],
    ['a known key', 'good', 30_000, 2],
    ['an unknown key', 'bad', 999, 1],
    ['an unknown key', 'bad', 1_000, 2],
  ])('asks for %s (%s) after %d ms: %d time(s) in all', async (_, hash, ms, times) => {
    const { source, at, directory } = setup();
    await directory.find(hash);
    at.ms = ms;
    await directory.find(hash);
    expect(source.asked).toHaveLength(times);
  });

  it('asks once for many at once', async () => {
    const { source, directory } = setup();
    expect(await Promise.all([1, 2, 3].map(() => directory.find('good')))).toEqual([
      PRINCIPAL,
      PRINCIPAL,
      PRINCIPAL,
    ]);
    expect(source.asked).toEqual(['good']);
  });

  it('keeps no failure', async () => {
    const { source, directory } = setup();
    source.down = true;
    await expect(directory.find('good')).rejects.toThrow('away');
    source.down = false;
    expect(await directory.find('good')).toEqual(PRINCIPAL);
  });

  it('forgets the key that was used least recently when it is full', async () => {
    const { source, directory } = setup(2);
    for (const hash of ['a', 'b', 'a', 'c', 'a', 'b']) await directory.find(hash);
    expect(source.asked).toEqual(['a', 'b', 'c', 'b']);
  });

  it('lets a revoked key go at once when told', async () => {
    const { source, directory } = setup();
    await directory.find('good');
    source.known.clear();
    directory.forget('good');
    expect(await directory.find('good')).toBeNull();
  });
});
