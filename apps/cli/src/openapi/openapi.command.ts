import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../output';
import { documents, documentText } from './documents';

/** `openapi [DIR]`: writes every document; 0. */
export async function openApiCommand(words: readonly string[], output: Output): Promise<number> {
  const [dir = 'docs/openapi'] = words;
  await mkdir(dir, { recursive: true });
  for (const [name, document] of Object.entries(documents())) {
    const file = join(dir, `${name}.json`);
    await writeFile(file, documentText(document));
    const operations = Object.values(document.paths).flatMap((path) => Object.keys(path)).length;
    output.line(`${file}: ${operations} operations`);
  }
  return 0;
}
