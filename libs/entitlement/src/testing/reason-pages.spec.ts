import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DENIAL_REASONS, PASS_REASONS } from '@tallygate/contracts';
import { actionOf, isDenial, statusOf } from '../domain';
import { exampleOf } from './examples';

const PAGES = join(__dirname, '../../../../docs/reasons');
const REASONS = [...DENIAL_REASONS, ...PASS_REASONS];
const SECTIONS = [
  '## What the client should do',
  '## What the provider should do',
  '## What lifts it',
  '## Example',
];

describe.each(REASONS)('the page of %s', (reason) => {
  const page = readFileSync(join(PAGES, `${reason}.md`), 'utf8');

  it('says what it means, what to do and what lifts it', () => {
    expect(page.startsWith(`# ${reason}\n`)).toBe(true);
    const at = SECTIONS.map((section) => page.indexOf(section));
    expect(at.every((place) => place > 0)).toBe(true);
    expect([...at].sort((a, b) => a - b)).toEqual(at);
  });

  it('names status and action as decided', () => {
    const row = isDenial(reason)
      ? new RegExp(`\\| ${statusOf(reason)} [^|]+\\| \`${actionOf(reason)}\` +\\|`)
      : /\| the request passes +\| none +\|/;
    expect(page).toMatch(row);
  });

  it('shows the answer as it is given today', () => {
    expect(page).toContain(`\`\`\`http\n${exampleOf(reason)}\n\`\`\``);
  });
});

it('no page is about something else, and the list names them all', () => {
  const pages = readdirSync(PAGES).filter((file) => file !== 'README.md');
  expect(pages.sort()).toEqual(REASONS.map((reason) => `${reason}.md`).sort());
  const list = readFileSync(join(PAGES, 'README.md'), 'utf8');
  expect(REASONS.filter((reason) => !list.includes(`(${reason}.md)`))).toEqual([]);
});
