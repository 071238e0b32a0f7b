import { existsSync, readdirSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { acquireLock } from '../../../src/base/files/lock.ts';
import { collectGarbage, type GarbageOptions } from '../../../src/runner/extras/gc.ts';
import { filesBelow, findInconsistencies } from '../rig/crash/checks.ts';
import { createProject, type Project } from '../rig/project.ts';

/** `a` makes a folder of three versions, `b` reads one of its files; a run of each version, under these profiles. */
async function createRuns(profiles: readonly string[] = ['p', 'p', 'p']): Promise<Project> {
  const project = await createProject();
  await project.write(
    'stages/b.mjs',
    "import { readFileSync, writeFileSync } from 'node:fs';\nexport default { summary: '', async run({ inputs, outputs }) { writeFileSync(outputs[0], 'b of ' + readFileSync(inputs[0], 'utf8')); } };",
  );
  for (const [i, profile] of profiles.entries()) {
    define(project, i + 1, profile);
    expect((await project.run()).outcome).toBe('ok');
  }
  return project;
}

function define(project: Project, version: number, profile = 'p'): void {
  project.define(
    [
      {
        id: 'a',
        sh: 'mkdir "$REPRO_OUTPUT_0"; echo "$REPRO_PARAMS" > "$REPRO_OUTPUT_0/x"; echo same > "$REPRO_OUTPUT_0/y"',
        params: { version },
      },
      { id: 'b', run: 'stages/b.mjs', inputs: ['artifacts/a/x'], outputs: ['artifacts/b'] },
    ],
    profile,
  );
}

function collect(project: Project, options: Partial<GarbageOptions> = {}) {
  return collectGarbage({ projectRoot: project.root, isDryRun: false, ...options });
}

/** The versions that need not be computed again. */
async function findKept(project: Project): Promise<number[]> {
  const kept: number[] = [];
  for (const version of [1, 2, 3]) {
    define(project, version);
    const states = (await project.status()).map(({ state }) => state);
    if (states.every((state) => state === 'fresh' || state === 'restorable')) kept.push(version);
  }
  return kept;
}

describe('the garbage of a cache', () => {
  test('is what the last record of each instance does not need', async () => {
    const project = await createRuns();
    const { garbage, keptRecords, removedRecords } = await collect(project);
    expect(keptRecords).toBe(2);
    expect(removedRecords.map(({ id, profile }) => `${id} ${profile}`)).toEqual(['a p', 'b p', 'a p', 'b p']);
    expect(garbage.filter((file) => file.includes('/store/trees/'))).toHaveLength(2);
    // Of each version x of a, b, and both logs; y is shared.
    expect(garbage.filter((file) => file.includes('/store/files/'))).toHaveLength(8);
    expect(garbage.some((file) => existsSync(file))).toBe(false);
    expect(await findKept(project)).toEqual([3]);
    expect(findInconsistencies(project.root)).toEqual([]);
    define(project, 3);
    expect((await project.run()).ran).toEqual([]);
    await project.remove('artifacts/a');
    expect((await project.run()).cached).toEqual(['a', 'b']);
    expect(project.read('artifacts/a/y')).toBe('same\n');
    expect((await collect(project)).garbage).toEqual([]);
    define(project, 1);
    expect((await project.run()).ran).toEqual(['a', 'b']);
  });

  test('is not what ran in the last days, by when it ended', async () => {
    const project = await createRuns();
    await collect(project, { days: 1 });
    expect(await findKept(project)).toEqual([1, 2, 3]);
    await collect(project, { days: 1, nowMs: Date.now() + 25 * 3_600_000 });
    expect(await findKept(project)).toEqual([3]);
    expect(findInconsistencies(project.root)).toEqual([]);
  });

  test('is not what the last run under another profile made', async () => {
    const project = await createRuns(['full', 'full', 'quick']);
    await collect(project);
    expect(await findKept(project)).toEqual([2, 3]);
  });

  test('is not what a profile used last, though another profile computed it', async () => {
    const project = await createRuns(['p1']);
    define(project, 1, 'p2');
    expect((await project.run()).cached).toEqual(['a', 'b']);
    define(project, 2, 'p1');
    await project.run();
    await collect(project);
    expect(await findKept(project)).toEqual([1, 2]);
    const states = () =>
      filesBelow(project.at('artifacts/.cache/profiles')).map((file) => [file, statSync(file).ino]);
    const before = states();
    define(project, 2, 'p1');
    expect((await project.run()).cached).toEqual(['a', 'b']);
    expect(states()).toEqual(before);
    define(project, 2, 'p2');
    await project.run();
    await collect(project);
    expect(await findKept(project)).toEqual([2]);
  });

  test('does not grow because the last record of an instance is damaged', async () => {
    const project = await createRuns();
    for (const id of ['a', 'b']) await project.write(`artifacts/.cache/records/${id}.json`, '');
    await collect(project);
    expect(await findKept(project)).toEqual([3]);
  });

  test('includes the last record of a stage to forget', async () => {
    const project = await createRuns();
    await expect(collect(project, { forgotten: ['c'] })).rejects.toMatchObject({ code: 'usage' });
    await collect(project, { forgotten: ['a', 'b'] });
    expect(filesBelow(project.at('artifacts/.cache/store'))).toEqual([]);
    expect(await findKept(project)).toEqual([]);
    expect(project.read('artifacts/a/y')).toBe('same\n');
  });

  test('includes leftovers, damaged records, old bundles, old logs, and work set aside that is old or done', async () => {
    const project = await createRuns();
    const cache = (file: string): string => path.posix.join('artifacts/.cache', file);
    const done = (await project.status())[0]?.record?.fingerprint ?? '';
    const gone = [
      'tmp/9-dead/a/half',
      '.4.partial',
      'records/.1.partial',
      'records/damaged.json',
      `actions/ab/${'ab'.repeat(32)}.json`,
      'store/files/ab/.2.partial',
      'store/trees/ab/.3.partial',
      `code/${'cd'.repeat(32)}.mjs`,
      `resume/${done}/0/state`,
      `resume/${'12'.repeat(32)}/0/state`,
      `resume/${'34'.repeat(32)}/0.partial/state`,
      'resume/s.resume.partial/state',
      'logs/old.log',
      'logs/old.previous.log',
      'attempts/old.json',
      'attempts/.5.partial',
      'profiles/p/.6.partial',
    ];
    const stay = [
      `resume/${'34'.repeat(32)}/0/state`,
      'attempts/failed.json',
      'logs/failed.log',
      'logs/a.log',
      'unknown/file',
    ];
    for (const file of [...gone, ...stay]) await project.write(cache(file), '');
    const longAgo = Date.now() / 1000 - 31 * 86_400;
    for (const file of [
      `resume/${'12'.repeat(32)}/0/state`,
      'logs/old.log',
      'logs/old.previous.log',
      'attempts/old.json',
      'logs/a.log',
      `code/${'cd'.repeat(32)}.mjs`,
    ]) {
      utimesSync(project.at(cache(file)), longAgo, longAgo);
    }
    utimesSync(project.at(cache(`resume/${'12'.repeat(32)}/0`)), longAgo, longAgo);
    utimesSync(project.at(cache(`resume/${'12'.repeat(32)}`)), longAgo, longAgo);
    await collect(project);
    expect(gone.filter((file) => project.has(cache(file)))).toEqual([]);
    expect(stay.filter((file) => !project.has(cache(file)))).toEqual([]);
    expect(readdirSync(project.at(cache('code'))).filter((name) => name.endsWith('.mjs'))).toHaveLength(1);
  });

  test('stays in a dry run, which needs no lock', async () => {
    const project = await createRuns();
    const files = () => filesBelow(project.root).filter((file) => !file.includes('.cache/lock/'));
    const before = files();
    const lock = await acquireLock(project.at('artifacts/.cache/lock'));
    await expect(collect(project)).rejects.toMatchObject({ code: 'locked' });
    const { garbage } = await collect(project, { isDryRun: true });
    await lock.release();
    expect(garbage.length).toBeGreaterThan(0);
    expect(files()).toEqual(before);
    expect((await collect(project)).garbage).toEqual(garbage);
  });
});
