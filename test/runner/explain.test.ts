import { describe, expect, test } from 'vitest';
import { hashText } from '../../src/base/files/canonical-json.ts';
import { createWordProject, installWordlist } from './rig/word-project.ts';

/** The word project, which has run. */
async function createRun(files: Readonly<Record<string, string>> = {}) {
  const project = await createWordProject(files);
  await project.call(['run']);
  return project;
}

const digestOf = (text: string): string => hashText(text).slice(0, 12);

describe('repro explain', () => {
  test('says that a stage has not run, and then that nothing differs', async () => {
    const project = await createWordProject();
    const before = await project.call(['explain', 'words']);
    expect(before.stdout).toContain('words has not run yet');
    expect((await project.call(['run'])).exitCode).toBe(0);
    const after = await project.call(['explain', 'words']);
    expect(after.stdout).toMatch(
      /^words is up to date; compared with the run of .* UTC \([0-9a-f]{12}, profile small\):/,
    );
    expect(after.stdout).toContain('nothing differs from that run');
  });

  test('names everything that differs at once, with old and new values', async () => {
    const project = await createWordProject();
    await project.call(['run'], { WORDS_MOOD: 'calm' });
    await project.edit('src/shout.ts', "'!'", "'?'");
    await project.edit('configs/words/list.txt', 'two', 'zwei');
    await project.write('configs/words/more.txt', 'new\n');
    await project.edit('configs/profiles/small.yaml', 'times: 2', 'times: 3');
    await installWordlist(project, '1.1.0');

    const { stdout, exitCode } = await project.call(['explain', 'words'], { WORDS_MOOD: 'angry' });
    expect(exitCode).toBe(0);
    const sha256 = '[0-9a-f]{12}';
    expect(stdout.split('\n').slice(1)).toEqual([
      expect.stringMatching(`^  src/shout.ts changed  \\(${sha256} → ${sha256}\\)$`),
      '  package wordlist: 1.0.0 → 1.1.0',
      '  words.times: 2 → 3  (configs/profiles/small.yaml:3:10)',
      '  configs/words: 2 differ',
      `    list.txt changed  (${digestOf('one\ntwo\nthree\n')} → ${digestOf('one\nzwei\nthree\n')})`,
      '    more.txt is new',
      '  variable WORDS_MOOD: calm → angry',
    ]);

    const document = await project.json(['explain', 'words'], { WORDS_MOOD: 'angry' });
    const [instance] = document.instances;
    expect(instance).toMatchObject({ id: 'words', state: 'stale', against: { profile: 'small' } });
    expect(
      instance.differences.map(({ kind, name, path }: Record<string, string>) => [kind, name ?? path]),
    ).toEqual([
      ['code', 'src/shout.ts'],
      ['package', 'wordlist'],
      ['param', 'words.times'],
      ['input', 'configs/words'],
      ['variable', 'WORDS_MOOD'],
    ]);
    expect(instance.differences[2]).toMatchObject({ before: 2, now: 3 });
  });

  test('names what has to run first and why, and tells what causes a chain of stages to run from what only waits', async () => {
    const project = await createWordProject();
    await project.edit(
      'pipeline.yaml',
      '  sum:',
      `  list: {cmd: [sh, -c, 'ls artifacts/sum > "$REPRO_OUTPUT_0"'], inputs: [artifacts/sum], outputs: [artifacts/list]}\n  sum:`,
    );
    await project.call(['run']);
    await project.edit('data.txt', 'second', 'third');
    const { stdout } = await project.call(['explain', 'sum@a']);
    expect(stdout).toContain('sum@a is stale');
    expect(stdout).toContain('these have to run first:\n    words  data.txt changed');
    expect((await project.json(['explain', 'sum@a'])).instances[0].waitsFor).toEqual([
      { id: 'words', reasons: [{ cue: 'input', text: 'data.txt changed' }], isCause: true },
    ]);
    expect((await project.call(['explain', 'list'])).stdout.split('\n').slice(1)).toEqual([
      '  these have to run first:',
      '    words  data.txt changed',
      '    and 2 more, which wait for these',
    ]);
  });

  test('names a script and a file that an earlier stage made', async () => {
    const project = await createRun();
    await project.edit('tools/sum.mjs', 'length - 1', 'length - 2');
    await project.edit('configs/profiles/small.yaml', 'hello', 'HELLA');
    await project.call(['run', 'words']);
    const { stdout } = await project.call(['explain', 'sum@L']);
    expect(
      stdout
        .replaceAll(/ {2}\(.* → .*\)/g, '')
        .split('\n')
        .slice(1),
    ).toEqual(['  tools/sum.mjs changed', '  artifacts/words: text changed']);
  });

  test('compares with any recorded run: fingerprint, profile, time, another instance, a file', async () => {
    const project = await createRun();
    const [first] = (await project.json(['explain', 'words', '--list'])).instances[0].runs;
    await project.call(['run', '--profile', 'large']);
    await project.edit('configs/profiles/large.yaml', 'times: 5', 'times: 7');
    await project.call(['run', '--profile', 'large']);

    const list = await project.call(['explain', 'words', '--list', '--profile', 'large']);
    expect(list.stdout.split('\n')).toHaveLength(4);
    const against = async (run: string, stage = 'words'): Promise<string[]> => {
      const document = await project.json(['explain', stage, '--profile', 'large', '--against', run]);
      return document.instances[0].differences.map((one: { text: string }) => one.text);
    };
    expect(await against('last')).toEqual([]);
    expect(await against(first.fingerprint.slice(0, 8))).toEqual(['words.times: 2 → 7']);
    expect(await against('small')).toEqual(['words.times: 2 → 7']);
    expect(await against(first.startedAt)).toEqual(['words.times: 2 → 7']);
    expect(await against('sum@L', 'sum@a')).toEqual([
      'command: "node" "tools/sum.mjs" "L" → "node" "tools/sum.mjs" "a"',
      'letter: "L" → "a"',
      'outputs: artifacts/sum/L → artifacts/sum/a',
    ]);
    await project.write(
      'theirs.json',
      project.read('artifacts/.cache/records/words.json').replace('"times": 7', '"times": 9'),
    );
    expect(await against(project.at('theirs.json'))).toEqual(['words.times: 9 → 7']);
  });

  test('shows all that differs from the run of another machine, and which runs there are if --against matches none', async () => {
    const project = await createRun();
    const theirs = JSON.parse(project.read('artifacts/.cache/records/words.json'));
    theirs.parts.runtime = { platform: 'darwin', arch: 'arm64' };
    theirs.parts.packages = { ...theirs.parts.packages, wordlist: '0.9.0', other: '1.0.0' };
    theirs.parts.facts = { engine: 'slow' };
    theirs.parts.inputs[1].digest = '0'.repeat(64);
    await project.write('theirs.json', JSON.stringify(theirs));
    const { stdout } = await project.call(['explain', 'words', '--against', 'theirs.json']);
    const { platform, arch } = JSON.parse(project.read('artifacts/.cache/records/words.json')).parts.runtime;
    expect(stdout.split('\n').slice(1)).toEqual([
      '  package wordlist: 0.9.0 → 1.0.0',
      '  package other: 1.0.0 → unset',
      `  data.txt changed  (000000000000 → ${digestOf('first\nsecond\n')})`,
      '  engine: slow → unset',
      `  platform: darwin → ${platform}`,
      `  arch: arm64 → ${arch}`,
    ]);
    await project.expectFailure(
      ['explain', 'words', '--against', 'full'],
      2,
      'no recorded run of "words" matches "full"',
      './repro explain words --list',
    );
    const file = await project.call(['explain', 'words', '--against', 'package-lock.json']);
    expect(file.stderr).toContain('this is not a record of a run');
  });

  test('explains a stage whose code does not compile, and one whose output was altered', async () => {
    const project = await createRun();
    await project.write('artifacts/words/text', 'altered');
    expect((await project.call(['explain', 'words'])).stdout).toContain('  artifacts/words was altered');
    await project.write('src/shout.ts', 'export function shout(');
    const { stdout, exitCode } = await project.call(['explain', 'words']);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^words cannot be judged:\n {2}src\/shout\.ts:1:/);
    const [words] = (await project.json(['explain', 'words'])).instances;
    expect(words).toMatchObject({ state: 'error', error: { code: 'stage-code' } });
  });
});
