import path from 'node:path';
import { expect, test } from 'vitest';
import { readPage, repository } from './pages.ts';

test('docs/results.md is what `node scripts/results.mjs` makes of results/', async () => {
  const script = path.join(repository, 'scripts/results.mjs');
  const { composePage } = (await import(script)) as { composePage: () => string };
  expect(readPage('docs/results.md')).toBe(composePage());
});
