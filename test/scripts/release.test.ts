import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../docs/pages.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const versioned = [
  'package.json',
  'package-lock.json',
  'native/package.json',
  'CITATION.cff',
  'CHANGELOG.md',
  'src/report/report.ts',
];
const { version }: { readonly version: string } = JSON.parse(
  readFileSync(path.join(repository, 'package.json'), 'utf8'),
);

/** A copy of what names the version. */
async function createProject() {
  const root = await temporaryFolder();
  for (const part of ['scripts/release.mjs', 'docs', ...versioned])
    cpSync(path.join(repository, part), path.join(root, part), { recursive: true });
  const edit = (file: string, from: RegExp | string, to: string) => {
    const before = readFileSync(path.join(root, file), 'utf8');
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    writeFileSync(path.join(root, file), after);
  };
  const call = (...words: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/release.mjs', ...words], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  return { root, edit, call };
}

test('here, all files name one version, and a rehearsal prints the notes of its release', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/release.mjs', '--dry-run'], {
    cwd: repository,
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('\n### Added\n');
  expect(stdout).not.toContain('\n## ');
});

test('the notes are the section of the version, with each entry in one line', async () => {
  const { root, call } = await createProject();
  writeFileSync(
    path.join(root, 'CHANGELOG.md'),
    `# Changelog\n\n## [9.0.0] - 2099-01-01\n\n- Later.\n\n## [${version}] - 2026-12-01\n\nFirst\nwords.\n\n### Added\n\n- One\n  entry.\n- Two.\n\n## [0.1.0] - 2020-01-01\n\n- Old.\n`,
  );
  const stdout = 'First words.\n\n### Added\n\n- One entry.\n- Two.\n';
  for (const tag of ['--dry-run', `v${version}`])
    expect(call(tag)).toEqual({ status: 0, stdout, stderr: '' });
});

test('what names another version, and a missing section, are all named at once', async () => {
  const { root, edit, call } = await createProject();
  edit('package.json', `"version": "${version}"`, '"version": "7.8.9"');
  edit('CITATION.cff', /^version: .*\n/m, '');
  edit('CHANGELOG.md', `[${version}] - `, '[7.8.9] ');
  writeFileSync(path.join(root, 'docs/page.md'), '- uses: actions/checkout@v7\n- uses: lab/plif@v7.8.8\n');
  const { status, stdout, stderr } = call('v7.8.0');
  expect([status, stdout]).toEqual([1, '']);
  const lines = stderr.split('\n').filter((line) => !/^docs\/(?!page)/.test(line));
  expect(lines).toEqual([
    'the tag names version 7.8.0; package.json has 7.8.9.',
    `native/package.json names version ${version}; package.json has 7.8.9.`,
    `package-lock.json names version ${version}; package.json has 7.8.9.`,
    `package-lock.json, native names version ${version}; package.json has 7.8.9.`,
    `src/report/report.ts names version ${version}; package.json has 7.8.9.`,
    'CITATION.cff names version none; package.json has 7.8.9.',
    'docs/page.md names version 7.8.8; package.json has 7.8.9.',
    'CHANGELOG.md has no section "## [7.8.9] - YYYY-MM-DD" with changes.',
    '  Correct these and commit, then set the tag.',
    '',
  ]);
});

test('the workflow’s own step writes the notes for its tag, and stops at another tag', async () => {
  const { jobs } = parse(readFileSync(path.join(repository, '.github/workflows/release.yml'), 'utf8'));
  const steps: readonly { readonly run?: string }[] = jobs.build.steps;
  const step = steps.find(({ run }) => run?.includes('scripts/release.mjs'))?.run ?? '';
  const runStep = async (tag: string) => {
    const { root } = await createProject();
    const env = { ...process.env, TAG: tag };
    const { status } = spawnSync('bash', ['-ec', step], { cwd: root, env });
    return { status, notes: readFileSync(path.join(root, 'release/notes.md'), 'utf8') };
  };
  const { status, notes } = await runStep(`v${version}`);
  expect(status).toBe(0);
  expect(notes).toContain('\n- ');
  expect(await runStep('--dry-run')).toEqual({ status, notes });
  expect(await runStep('v0.0.1')).toEqual({ status: 1, notes: '' });
});
