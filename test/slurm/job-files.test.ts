import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { AppendedLines } from '../../src/runner/cluster/job-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('lines that another machine appends are read once each and whole, however many there are', async () => {
  const file = path.join(await temporaryFolder(), 'lines');
  const lines = new AppendedLines(file);
  expect([...lines.read()]).toEqual([]);
  const many = Array.from({ length: 300_000 }, (_, i) => `line ${i}`);
  appendFileSync(file, `${many.join('\n')}\nhal`);
  expect([...lines.read()]).toEqual(many);
  appendFileSync(file, 'f ü\n');
  expect([...lines.read()]).toEqual(['half ü']);
  expect([...lines.read()]).toEqual([]);
});
