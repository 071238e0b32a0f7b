import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { saysTheSame } from '../../src/runner/freshness/committed-records.ts';
import { type CliProject, repro } from './rig/cli-project.ts';
import { createWordProject, installWordlist } from './rig/word-project.ts';

const words = 'repro.lock/small/words/words.json';
const sumA = 'repro.lock/small/sum/sum@a';

/** The project with `lock: [small]`, run once, then without everything that is not committed. */
async function createCommitted(): Promise<CliProject> {
  const project = await createLocked(
    'configs/words, data.txt',
    'configs/words, {path: data.txt, external: true}',
  );
  await project.remove('artifacts');
  await project.remove('data.txt');
  return project;
}

/** The project with `lock: [small]`, and a change to pipeline.yaml or to a file, run once. */
async function createLocked(from = '', to = '', file = 'pipeline.yaml'): Promise<CliProject> {
  const project = await createWordProject();
  await project.edit('pipeline.yaml', 'stages:', 'lock: [small]\nstages:');
  await project.edit(file, from, to);
  await project.call(['run']);
  return project;
}

async function checkStates(project: CliProject): Promise<Record<string, [string, ...string[]]>> {
  const { checks } = await project.json(['check', '--no-data']);
  return Object.fromEntries(
    checks[0].checks.map(
      ({ id, state, reasons }: { id: string; state: string; reasons: { text: string }[] }) => [
        id,
        [state, ...reasons.map(({ text }) => text)],
      ],
    ),
  );
}

describe('records under repro.lock', () => {
  test('are written by runs of the profiles under `lock:`, and only by those', async () => {
    const project = await createWordProject();
    await project.call(['run']);
    expect(project.has('repro.lock')).toBe(false);
    await project.edit('pipeline.yaml', 'stages:', 'lock: [small]\nstages:');
    const hit = await project.call(['run']);
    expect(hit.stderr).toContain('3 records in repro.lock/small changed: commit them');
    expect(project.has(words)).toBe(true);
    await project.call(['run', '--profile', 'large']);
    expect(project.has('repro.lock/large')).toBe(false);
    const set = await project.call(['run', '--set', 'words.times=4']);
    expect(set.stderr).toContain('with words.times=4, this is not a plain run of profile small');
    expect(JSON.parse(project.read(words)).parts.params).toEqual({ words: { text: 'hello', times: 2 } });
  });

  test('do not change with a run that changes nothing, on another day, in another place; git merges changes to different parts', async () => {
    const project = await createLocked();
    const before = project.read(words);
    expect(before).not.toMatch(/startedAt|seconds|host/);
    expect(before).not.toContain(project.root);
    const again = await project.call(['run', '--force'], { WORDS_MOOD: 'of another machine' });
    expect(again.stderr).not.toContain('repro.lock');
    expect(project.read(words)).toBe(before);
    // One value a line, and sorted keys.
    expect(before.split('\n').filter((line) => (line.match(/": /g) ?? []).length > 1)).toEqual([]);
    const code = Object.keys(JSON.parse(before).parts.code);
    expect(code).toEqual([...code].sort());
  });

  test('of instances that a profile no longer has are removed', async () => {
    const project = await createLocked();
    await project.edit('configs/profiles/small.yaml', '[a, L]', '[a]');
    const check = await project.call(['check', '--no-data']);
    expect(check.exitCode).toBe(4);
    expect(check.stdout).toMatch(
      /repro\.lock\/small\/sum\/sum%40L.*\.json +stray +belongs to no stage of this profile/,
    );
    await project.call(['run']);
    expect((await project.call(['check', '--no-data'])).exitCode).toBe(0);
    expect(project.has(`${sumA}.json`)).toBe(true);
  });

  test('are written by `repro lock` for any profile, if it is up to date', async () => {
    const project = await createWordProject();
    await project.expectFailure(['lock', 'words'], 3, 'words is not up to date');
    await project.call(['run', '--set', 'words.times=4']);
    const late = await project.call(['lock', '--set', 'words.times=4']);
    expect(late.exitCode).toBe(0);
    expect(late.stdout).toContain(`written  ${words}`);
    expect((await project.call(['check', '--set', 'words.times=4'])).exitCode).toBe(0);
    const other = await project.call(['check', '--profile', 'small']);
    expect(other.exitCode).toBe(4);
    expect(other.stdout).toContain('words.times: 4 → 2');
  });

  test('name every variable and fact that a stage declares, with the values of the machine that ran it', async () => {
    const project = await createWordProject();
    await project.edit('pipeline.yaml', 'stages:', 'lock: [small]\nstages:');
    await project.call(['run'], { WORDS_MOOD: 'calm' });
    await project.edit('pipeline.yaml', '[WORDS_MOOD]', '[WORDS_MOOD, WORDS_TONE]');
    expect((await project.call(['check', '--no-data'])).stdout).toMatch(
      /words +differs +variable WORDS_TONE is new/,
    );
    expect((await project.call(['run'], { WORDS_MOOD: 'calm' })).exitCode).toBe(0);
    const record = JSON.parse(project.read(words));
    expect(record.parts.variables).toEqual({ WORDS_MOOD: 'calm', WORDS_TONE: null });
    const withFacts = (facts: object) => ({ ...record, parts: { ...record.parts, facts } });
    expect(saysTheSame(withFacts({ engine: 'a' }), withFacts({ engine: 'b' }))).toBe(true);
    expect(saysTheSame(record, withFacts({ engine: 'a' }))).toBe(false);
    const { stdout } = await project.call(['check', '--no-data']);
    expect(stdout).toContain('profile small: all 3 records belong');
  });

  test('belong although their keys are sorted, and those of the profile are not', async () => {
    const profile = 'configs/profiles/small.yaml';
    const project = await createLocked('times: 2', 'times: 2\n  more: [{b: 1, a: 2}]', profile);
    expect((await project.call(['check', '--no-data'])).stdout).toContain('all 3 records belong');
    expect((await project.call(['explain', 'words', '--against', 'lock'])).stdout).toContain(
      'nothing differs',
    );
  });

  test('of instances that --set leaves out, or that are not named, are not removed', async () => {
    const project = await createLocked();
    const stray = 'repro.lock/small/sum/sum@stray.json';
    await project.write(stray, project.read(`${sumA}.json`));
    const count = (await fs.readdir(project.at('repro.lock/small/sum'))).length;
    const set = await project.call(['lock', '--set', 'letters=[a]']);
    const named = await project.call(['lock', 'words']);
    const run = await project.call(['run', 'words']);
    expect([set, named, run].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(await fs.readdir(project.at('repro.lock/small/sum'))).toHaveLength(count);
    expect((await project.call(['lock'])).stdout).toBe(`removed  ${stray}`);
  });

  test('that do not belong are made again by the commands that check names', async () => {
    const project = await createWordProject();
    const remedyOf = async (words: readonly string[]): Promise<string> => {
      const { stdout, exitCode } = await project.call(['check', ...words]);
      expect(exitCode).toBe(4);
      return stdout.split(/make \w+(?: again)?: /)[1] ?? '';
    };
    for (const words of [
      ['--profile', 'large'],
      ['--set', 'words.text=it is', '--project', project.root],
    ]) {
      const remedy = await remedyOf(words);
      const program = `${JSON.stringify(process.execPath)} ${JSON.stringify(repro)}`;
      const { status } = spawnSync('sh', ['-c', remedy.replaceAll('./repro', () => program)], {
        cwd: project.root,
      });
      expect(status).toBe(0);
      expect((await project.call(['check', ...words])).stdout).toContain('all 3 records belong');
    }
    await project.edit('pipeline.yaml', 'stages:', 'lock: [large]\nstages:');
    await project.edit('src/shout.ts', "'!'", "'?'");
    expect(await remedyOf([])).toBe('./repro run --profile large');
  });

  test('refuse a profile under `lock:` that does not exist', async () => {
    const project = await createWordProject();
    await project.edit('pipeline.yaml', 'stages:', 'lock: [smal]\nstages:');
    await project.expectFailure(
      ['status'],
      2,
      'pipeline.yaml:3:8  lock: there is no profile "smal"',
      'Closest: "small".',
    );
  });
});

describe('repro check --no-data', () => {
  test('confirms records without data, results or cache; without it, reads the data', async () => {
    const project = await createCommitted();
    const { exitCode, stdout } = await project.call(['check', '--no-data']);
    expect(stdout).toContain('profile small: all 3 records belong to this code and configuration');
    expect(exitCode).toBe(0);
    const without = await project.call(['check']);
    expect(without.exitCode).toBe(4);
    expect(without.stdout).toContain('data.txt is missing');
    await project.write('data.txt', 'first\nsecond\n');
    expect((await project.call(['check'])).exitCode).toBe(0);
    await project.write('data.txt', 'first\nthird\n');
    expect((await project.call(['check'])).stdout).toContain('data.txt changed');
    expect((await project.call(['check', '--no-data'])).exitCode).toBe(0);
    expect(project.has('artifacts/words')).toBe(false);
  });

  test('names what changed since, code that does not compile too, and what depends on it', async () => {
    const project = await createCommitted();
    await project.edit('src/shout.ts', "'!'", "'?'");
    await project.edit('configs/profiles/small.yaml', 'times: 2', 'times: 3');
    await project.edit('configs/words/list.txt', 'two', 'zwei');
    await installWordlist(project, '1.1.0');
    const { exitCode, stdout } = await project.call(['check', '--no-data']);
    expect(exitCode).toBe(4);
    expect(stdout).toContain('profile small: 3 of 3 records do not');
    expect(await checkStates(project)).toEqual({
      words: [
        'differs',
        'src/shout.ts changed',
        'package wordlist: 1.0.0 → 1.1.0',
        'words.times: 2 → 3',
        'configs/words changed',
      ],
      'sum@a': ['unconfirmed', 'depends on words'],
      'sum@L': ['unconfirmed', 'depends on words'],
    });
    await project.write('src/shout.ts', 'export function shout(');
    const broken = await project.call(['check', '--no-data']);
    expect(broken.exitCode).toBe(4);
    expect(broken.stdout).toMatch(/^words +differs +src\/shout\.ts:1:/m);
    expect(broken.stdout).toMatch(/^sum@a +unconfirmed +depends on words/m);
  });

  test('notices a record of other results of an earlier stage, and one that is missing, cut off, or carelessly merged', async () => {
    const project = await createCommitted();
    const whole = project.read(words);
    const record = JSON.parse(whole);
    record.outputs[0].digest = '0'.repeat(64);
    await project.write(words, JSON.stringify(record));
    const states = await checkStates(project);
    expect(states.words).toEqual(['ok']);
    expect(states['sum@a']).toEqual(['differs', 'artifacts/words changed']);
    await project.remove(words);
    expect((await checkStates(project)).words).toEqual(['missing', `${words} is missing`]);
    await project.write(words, whole.slice(0, 200));
    expect((await checkStates(project)).words).toEqual(['missing', `${words} is damaged`]);
    await project.write(words, whole.replace('"times": 2', '"times": 3'));
    expect((await checkStates(project)).words).toEqual([
      'differs',
      'the record contradicts itself: its fingerprint is not that of its parts',
    ]);
    await project.write('data.txt', 'first\nsecond\n');
    await project.call(['run']);
    expect(project.read(words)).toBe(whole);
  });

  test('follows an input that is a part of an output', async () => {
    const project = await createWordProject();
    await project.edit('pipeline.yaml', 'stages:', 'lock: [small]\nstages:');
    await project.edit('pipeline.yaml', 'inputs: [artifacts/words]', 'inputs: [artifacts/words/text]');
    await project.edit('tools/sum.mjs', "REPRO_INPUT_0 + '/text'", 'REPRO_INPUT_0');
    expect((await project.call(['run'])).exitCode).toBe(0);
    await project.remove('artifacts');
    expect((await project.call(['check', '--no-data'])).exitCode).toBe(0);
    const record = JSON.parse(project.read(words));
    record.outputs[0].digest = '0'.repeat(64);
    await project.write(words, JSON.stringify(record));
    expect((await checkStates(project))['sum@a']).toEqual(['differs', 'artifacts/words/text changed']);
  });

  test('fails if there is nothing to check, and says how to begin', async () => {
    const project = await createWordProject();
    await project.expectFailure(['check', '--no-data'], 2, 'pipeline.yaml lists no profile under `lock:`');
    const named = await project.call(['check', '--no-data', '--profile', 'large']);
    expect(named.exitCode).toBe(4);
    expect(named.stdout).toContain('no record');
  });

  test('is what `explain --against lock` explains', async () => {
    const project = await createLocked();
    await project.edit('src/shout.ts', "'!'", "'?'");
    await project.call(['run', '--set', 'words.times=9']);
    const { stdout } = await project.call(['explain', 'words', '--against', 'lock']);
    expect(stdout).toContain('compared with the committed record (');
    expect(stdout).toContain('  src/shout.ts changed  (');
  });

  test('works on what git merges from two branches', async () => {
    const { project, git } = await createRepository();
    git('checkout', '-qb', 'other');
    // The words stay the same, so only the record of the changed stage changes.
    await project.edit('tools/sum.mjs', 'JSON.stringify({ letter,', 'JSON.stringify({ letter, also: 1,');
    await project.call(['run']);
    git('commit', '-qam', 'other');
    git('checkout', '-q', 'main');
    await project.edit('stages/words.ts', "'Writes words.'", "'Writes some words.'");
    await project.call(['run']);
    git('commit', '-qam', 'main');
    git('merge', '-q', 'other');
    expect((await project.call(['check', '--no-data'])).exitCode).toBe(0);
  });

  test('tells what git could not merge from what is missing, and a run resolves it', async () => {
    const { project, git } = await createRepository();
    git('checkout', '-qb', 'other');
    await project.edit('configs/profiles/small.yaml', 'times: 2', 'times: 3');
    await project.call(['run']);
    git('commit', '-qam', 'other');
    git('checkout', '-q', 'main');
    await project.edit('src/shout.ts', "'!'", "'?'");
    await project.call(['run']);
    git('commit', '-qam', 'main');
    expect(() => git('merge', '-q', 'other')).toThrow(/CONFLICT/);
    expect(project.read('configs/profiles/small.yaml')).toContain('times: 3');
    const [state, reason] = (await checkStates(project)).words ?? [];
    expect([state, reason]).toEqual([
      'missing',
      expect.stringContaining(`${words} has conflicts of a merge`),
    ]);
    const explained = await project.call(['explain', 'words', '--against', 'lock']);
    expect(explained.stderr).toContain('has conflicts of a merge');
    expect((await project.call(['run'])).exitCode).toBe(0);
    expect((await project.call(['check', '--no-data'])).exitCode).toBe(0);
  });
});

/** The project with its records, committed on the branch main. */
async function createRepository(): Promise<{ project: CliProject; git: (...argv: string[]) => void }> {
  const project = await createLocked();
  await project.write('.gitignore', 'artifacts/\nnode_modules/\n');
  const git = (...argv: string[]): void => {
    const named = ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...argv];
    const { status, stderr, stdout } = spawnSync('git', named, { cwd: project.root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${argv.join(' ')}: ${stdout}${stderr}`);
  };
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-qm', 'first');
  return { project, git };
}
