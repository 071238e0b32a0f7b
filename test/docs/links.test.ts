import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { pages, readPage, repository } from './pages.ts';

/** The anchors of a page: of its headings, as GitHub names them, and its own. */
function anchorsOf(page: string): (string | undefined)[] {
  const text = readPage(page);
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return [...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id)];
}

test.each([...pages, 'CHANGELOG.md', 'bench/README.md', 'bench/verdicts.md', 'native/README.md'])(
  'every link of %s to this repository leads to a file, and to a place in it',
  (page) => {
    const links = [...readPage(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const dead = links.filter(([, to = '', anchor]) => {
      const target = to === '' ? page : path.posix.join(path.posix.dirname(page), to);
      if (!existsSync(path.join(repository, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor);
    });
    expect(dead.map(([link]) => link)).toEqual([]);
  },
);

test('no page links an address that nobody has set', () => {
  expect(pages.filter((page) => /\]\([^)]*OWNER/.test(readPage(page)))).toEqual([]);
});
