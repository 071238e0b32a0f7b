import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const report = join(import.meta.dirname, '../../src/report');

/** The folders of the report that the files of one import from. */
function importsOf(folder: string): string[] {
  const found = readdirSync(join(report, folder)).flatMap((file) =>
    [...readFileSync(join(report, folder, file), 'utf8').matchAll(/from '\.\.\/([a-z-]+)\//g)].map(
      ([, name]) => name ?? '',
    ),
  );
  return [...new Set(found)].sort();
}

it('the figures know nothing of what shows or judges them, and what is read from them nothing of figures', () => {
  expect(importsOf('figures')).toEqual(['hover']);
  expect(importsOf('hover')).toEqual([]);
});
