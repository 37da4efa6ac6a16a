import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Where downloaded servers and prepared data folders are kept: TALLYGATE_CACHE_DIR, else `.cache` of the checkout this
 * file lies in, else `~/.cache/tallygate`.
 */
export function cacheDir(...below: string[]): string {
  const root =
    process.env['TALLYGATE_CACHE_DIR'] ?? checkoutCache(__dirname) ?? join(homedir(), '.cache', 'tallygate');
  return join(root, ...below);
}

function checkoutCache(folder: string): string | null {
  if (existsSync(join(folder, 'nx.json'))) return join(folder, '.cache');
  const parent = dirname(folder);
  return parent === folder ? null : checkoutCache(parent);
}
