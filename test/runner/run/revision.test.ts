import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { readRevision } from '../../../src/runner/run/execution-context.ts';
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

  test('is in the record: the commit, and whether anything differs from it but untracked files at the top', async () => {
    const project = await createProject();
    git(project, 'init', '-q');
    await project.write('.gitignore', 'artifacts/\ncounts/\n');
    await project.write('configs/models/a.yaml', '');
    git(project, 'add', '.');
    git(project, 'commit', '-q', '-m', 'Begin');
    project.define([{ id: 's', sh: ': > "$REPRO_OUTPUT_0"' }]);
    const commit = git(project, 'rev-parse', 'HEAD');
    const record = async () => {
      await project.run({ force: true });
      return (await project.status())[0]?.record;
    };
    await project.write('exported/README.md', '');
    await project.write('trust.pem', '');
    expect(await record()).toMatchObject({ commit, dirty: false });
    await project.write('configs/models/b.yaml', '');
    expect(await record()).toMatchObject({ commit, dirty: true });
    await project.remove('configs/models/b.yaml');
    await project.write('configs/models/a.yaml', 'changed: true\n');
    expect(await record()).toMatchObject({ commit, dirty: true });
  });
});
