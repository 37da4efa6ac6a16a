import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder for one server, readable by its owner only. */
export async function makeTempDir(
  name: string,
  user?: { readonly uid: number; readonly gid: number },
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `tallygate-${name}-`));
  if (user !== undefined) await chown(dir, user.uid, user.gid);
  return dir;
}
