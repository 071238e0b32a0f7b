import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

/** Starts the command line as if Node had this version. */
function callAs(version: string) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${pretend}`, 'bin/repro.js', '--version'],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

test.each(['18.20.8', '20.18.3', '21.7.3', '22.11.0'])(
  'Node.js %s is too old: one line, and exit 2',
  (version) => {
    const { status, stdout, stderr } = callAs(version);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^repro needs Node\.js 20\.19, 22\.12 or later; this is [\d.]+\.\n$/);
    expect(stderr).toContain(version);
  },
);

test('a Node.js newer than any tested gets one line, and the command runs', () => {
  const { status, stdout, stderr } = callAs('99.0.0');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(stderr).toMatch(/^repro has been tested up to Node\.js \d+; this is 99\.0\.0, .*\n$/);
});

test.each(['20.19.0', '22.12.0', '23.0.0', '24.0.0', '26.99.0'])(
  'Node.js %s runs without a word',
  (version) => {
    expect(callAs(version)).toMatchObject({ status: 0, stderr: '' });
  },
);

test('the workflow tests all versions that the script does, from the floor to the newest', () => {
  const [, list = ''] = /^nodes=\((.*)\)$/m.exec(readFileSync('.ci/run', 'utf8')) ?? [];
  const versions = list.split(' ');
  const workflow = parse(readFileSync('.github/workflows/ci.yml', 'utf8'));
  const matrix: string[] = workflow.jobs.test.strategy.matrix.node;
  expect(matrix).toEqual(expect.arrayContaining(versions));
  expect([matrix[0], matrix.at(-1)]).toEqual([versions[0], versions.at(-1)]);
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(engines.node).toContain(`^${versions[0]} `);
  const [, newest] = /newestTested = (\d+)/.exec(readFileSync('bin/node-version.js', 'utf8')) ?? [];
  expect(versions.at(-1)?.split('.')[0]).toBe(newest);
});
