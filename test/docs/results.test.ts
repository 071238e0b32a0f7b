import path from 'node:path';
import { expect, test } from 'vitest';
import { blocks, readPage, repository } from './pages.ts';

test('docs/results.md is what `node scripts/results.mjs` makes of results/', async () => {
  const script = path.join(repository, 'scripts/results.mjs');
  const { composePage } = (await import(script)) as { composePage: () => string };
  expect(readPage('docs/results.md')).toBe(composePage());
});

test('its commands run on any processor, and get the data that a command can get', () => {
  const commands = blocks.filter(({ at }) => at.startsWith('docs/results.md')).map(({ text }) => text.trim());
  expect(commands).toHaveLength(6);
  for (const command of commands)
    expect(command).toMatch(/^\.\/repro (?:data fetch (?:fashion-)?mnist && \.\/repro )?run /);
  const [own, ...others] = commands.filter((command) => !command.includes('repro check'));
  expect([own, others]).toEqual([expect.stringContaining('--profile nmnist'), []]);
});
