import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPage, repository } from './pages.ts';

/** Where Debian's package puts them. */
const images = '/usr/share/datasets/fashion-mnist';
const python = ['python3', '/usr/bin/python3'].find(
  (name) => spawnSync(name, ['-c', 'import scipy']).status === 0,
);

test.skipIf(python === undefined || !existsSync(images))(
  'docs/designs.md has the accuracy of a linear readout of the mean row',
  { timeout: 300_000 },
  () => {
    const { stdout } = spawnSync(python!, ['scripts/mean-row-readout.py', images], {
      ...{ cwd: repository, encoding: 'utf8' },
    });
    const right = Number(/^([\d,]+) of 10,000 test images/.exec(stdout)![1]!.replace(',', ''));
    expect(readPage('docs/designs.md')).toContain(
      `gets ${(right / 100).toFixed(1)} % of the test images right`,
    );
  },
);
