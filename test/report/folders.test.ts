import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const report = join(import.meta.dirname, '../../src/report');

/** The folders of the report, each with those that its files import from. */
const allowed = {
  data: [],
  drawing: [],
  page: ['drawing'],
  inputs: ['data'],
  figures: ['data', 'drawing'],
  claims: ['data'],
  sections: ['claims', 'data', 'figures', 'inputs', 'page'],
};

it.each(Object.entries(allowed))('%s imports only from %j', (folder, others) => {
  const found = readdirSync(join(report, folder)).flatMap((file) =>
    [...readFileSync(join(report, folder, file), 'utf8').matchAll(/from '\.\.\/([a-z-]+)\//g)].map(
      ([, name]) => name ?? '',
    ),
  );
  expect([...new Set(found)].sort()).toEqual(others);
});
