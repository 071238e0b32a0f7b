import path from 'node:path';
import { expect, test } from 'vitest';
import { explainRefusals, isProbe, type RefusedError } from '../../../src/runner/stage/refusals.ts';

/** The stack of a call that came from a file, through Node's and the watch's own frames. */
function stackFrom(file: string): string {
  return [
    'Error: Access to this API has been restricted',
    '    at readFileSync (node:fs:441:20)',
    '    at observed (file:///app/dist/runner/stage/refusals.js:40:20)',
    `    at look (${file}:3:4)`,
    '    at node:internal/modules/esm/loader:1:1',
  ].join('\n');
}

const ofPackage = stackFrom('file:///home/me/thesis/node_modules/detect-libc/lib/process.js');
const ofStage = stackFrom('/home/me/thesis/stages/s.ts');

function isLook(
  resource: string,
  stack = ofPackage,
  projectRoot = '/home/me/thesis',
  realRoot = projectRoot,
) {
  return isProbe({ permission: 'FileSystemRead', resource, stack }, { projectRoot, realRoot });
}

test.each([
  '/proc/self/exe',
  '/lib64/ld-linux-x86-64.so.2',
  '/usr/src/apple/x',
  '/System/Library/CoreServices/SystemVersion.plist',
  '/private/etc/hosts',
  '/opt/homebrew/bin/ldd',
])('a package may look for the system file %s, the code of a stage may not', (resource) => {
  expect(isLook(resource, ofPackage, '/usr/src/app')).toBe(true);
  expect(isLook(resource, ofStage)).toBe(false);
});

test.each([
  '/home/me/.npmrc',
  '/usr/../home/me/data.csv',
  'undeclared.txt',
  '/proc/self/cwd/undeclared.txt',
  '/proc/4711/task/4712/root/home/me/data.csv',
  '/private/tmp/x',
])('%s must be declared, whoever reads it', (resource) => {
  expect(isLook(resource)).toBe(false);
});

test('a project in a folder of the system is no part of it, by neither path', () => {
  const file = '/usr/src/app/undeclared.txt';
  expect(isLook(file, ofPackage, '/usr/src/app')).toBe(false);
  expect(isLook(file, ofPackage, '/home/me/app', '/usr/src/app')).toBe(false);
  expect(isLook(file, ofPackage, '/usr/src/app', '/home/me/app')).toBe(false);
});

test('a package may ask for a program, the code of a stage may not', () => {
  const ask = (stack: string) => isProbe({ permission: 'ChildProcess', stack }, { projectRoot: '/p' });
  expect(ask(ofPackage)).toBe(true);
  expect(ask(ofStage)).toBe(false);
});

test.each([
  [['artifacts/s/old', 'artifacts/.cache/x', 'artifacts', '.'], []],
  [
    ['artifacts/s', 'a.json', 'artifacts/s2'],
    ['  inputs:', '    - a.json', '    - artifacts/s2'],
  ],
])('of %j, only what the plan takes as an input is proposed as one', (names, inputs) => {
  const refusals = names.map((name): RefusedError => {
    const resource = path.join('/project', name);
    const known = { code: 'ERR_ACCESS_DENIED', permission: 'FileSystemRead', resource } as const;
    return Object.assign(new Error('refused'), known);
  });
  const declaration = { stage: 's', where: '', projectRoot: '/project', outputs: ['artifacts/s'] };
  expect(explainRefusals(refusals, declaration).fix?.split('\n')).toEqual([
    ...(inputs.length > 0 ? ['Add them to the stage in pipeline.yaml:', ...inputs] : []),
    expect.stringContaining('neither its own earlier outputs nor artifacts/.cache'),
  ]);
});
