import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { catalogSchema } from '@tallygate/contracts';
import { parse } from 'yaml';
import { ROOT } from './compose-file';

const BOOKS = join(ROOT, 'docs/price-books');
const books = readdirSync(BOOKS).filter((name) => name.endsWith('.yaml'));

const read = (path: string): unknown => parse(readFileSync(path, 'utf8'), { schema: 'core' });

test.each(books)('%s is a catalog, and its scenario plays exactly it', (name) => {
  const book = read(join(BOOKS, name));
  expect(() => catalogSchema.parse(book)).not.toThrow();
  expect(read(join(ROOT, 'scenarios', `price-book-${name}`))).toMatchObject({ catalog: book });
  expect(readFileSync(join(BOOKS, 'README.md'), 'utf8')).toContain(`(${name})`);
});
