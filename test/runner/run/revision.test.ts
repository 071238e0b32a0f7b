import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readRevision } from '../../../src/runner/run/start-state.ts';
import { createProject, type Project } from '../rig/project.ts';

function git(project: Project, ...args: readonly string[]): string {
  const identity = [
    '-c',
    'user.name=Test',
    '-c',
    'user.email=test@example.org',
    '-c',
    'commit.gpgsign=false',
  ];
  return execFileSync('git', [...identity, ...args], { cwd: project.root, encoding: 'utf8' }).trim();
}

describe('the revision', () => {
  test('is unknown outside a repository, and before its first commit', async () => {
    const project = await createProject();
    expect(await readRevision(project.root)).toEqual({ commit: null, dirty: null });
    git(project, 'init', '-q');
    expect(await readRevision(project.root)).toEqual({ commit: null, dirty: null });
  });

  test('is in the record: the commit, and whether anything differs from it', async () => {
    const project = await createProject();
    git(project, 'init', '-q');
    await project.write('.gitignore', 'artifacts/\ncounts/\n');
    git(project, 'add', '.');
    git(project, 'commit', '-q', '-m', 'Begin');
    project.define([{ id: 's', sh: ': > "$REPRO_OUTPUT_0"' }]);
    await project.run();
    const commit = git(project, 'rev-parse', 'HEAD');
    expect((await project.status())[0]?.record).toMatchObject({ commit, dirty: false });
    await project.write('new-file', '');
    await project.run({ force: true });
    expect((await project.status())[0]?.record).toMatchObject({ commit, dirty: true });
  });
});
