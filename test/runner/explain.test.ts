import { describe, expect, test } from 'vitest';
import { createWordProject, installWordlist } from './rig/word-project.ts';

/** The word project, which has run. */
async function createRun(files: Readonly<Record<string, string>> = {}) {
  const project = await createWordProject(files);
  await project.call(['run']);
  return project;
}

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
    expect(stdout.split('\n').slice(1)).toEqual([
      '  src/shout.ts changed',
      '      @@ -1,4 +1,4 @@',
      '       // How loud it is.',
      "      -const mark = '!';",
      "      +const mark = '?';",
      '       ',
      '       export function shout(text: string): string {',
      '  package wordlist: 1.0.0 → 1.1.0',
      '  words.times: 2 → 3  (configs/profiles/small.yaml:3:10)',
      '  configs/words: 2 differ',
      '    list.txt changed',
      '      @@ -1,3 +1,3 @@',
      '       one',
      '      -two',
      '      +zwei',
      '       three',
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
    expect(instance.differences[0].diffs[0].diff).toMatchObject({ kind: 'lines', added: 1, removed: 1 });
  });

  test('shows sources as they were, comments included, although comments make nothing stale', async () => {
    const project = await createRun();
    await project.edit('src/shout.ts', 'How loud it is.', 'The mark after a word.');
    expect((await project.call(['status', 'words'])).stdout).toContain('up to date');
    await project.edit('src/shout.ts', "'!'", "'?'");
    const { stdout } = await project.call(['explain', 'words']);
    expect(stdout).toContain('-// How loud it is.\n');
    expect(stdout).toContain('+// The mark after a word.\n');
  });

  test('names what has to run first, and why', async () => {
    const project = await createRun();
    await project.edit('data.txt', 'second', 'third');
    const { stdout } = await project.call(['explain', 'sum@a']);
    expect(stdout).toContain('sum@a is stale');
    expect(stdout).toContain('these have to run first:\n    words  data.txt changed');
    expect((await project.json(['explain', 'sum@a'])).instances[0].waitsFor).toEqual([
      { id: 'words', reasons: [{ cue: 'input', text: 'data.txt changed' }], isCause: true },
    ]);
  });

  test('tells what causes a chain of stages to run from what only waits', async () => {
    const project = await createWordProject();
    await project.edit(
      'pipeline.yaml',
      '  sum:',
      `  list: {cmd: [sh, -c, 'ls artifacts/sum > "$REPRO_OUTPUT_0"'], inputs: [artifacts/sum], outputs: [artifacts/list]}\n  sum:`,
    );
    await project.call(['run']);
    await project.edit('data.txt', 'second', 'third');
    const { stdout } = await project.call(['explain', 'list']);
    expect(stdout.split('\n').slice(1)).toEqual([
      '  these have to run first:',
      '    words  data.txt changed',
      '    and 2 more, which wait for these',
    ]);
  });

  test('shows the difference of a script and of a file that an earlier stage made', async () => {
    const project = await createRun();
    await project.edit('tools/sum.mjs', 'length - 1', 'length - 2');
    await project.edit('configs/profiles/small.yaml', 'hello', 'HELLA');
    await project.call(['run', 'words']);
    const { stdout } = await project.call(['explain', 'sum@L']);
    expect(stdout).toContain('count: text.split(letter).length - 1');
    expect(stdout).toContain('count: text.split(letter).length - 2');
    expect(stdout).toContain('artifacts/words: text changed');
    expect(stdout).toContain('-HELLO!HELLO!one');
    expect(stdout).toContain('+HELLA!HELLA!one');
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
    await project.call(['run']);
    await project.call(['lock']);
    expect(await against('repro.lock/small/words/words.json')).toEqual(['words.times: 2 → 7']);
  });

  test('shows all that differs from the run of another machine', async () => {
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
      '  data.txt changed',
      '      (no line by line difference: the earlier text was not kept)',
      '  engine: slow → unset',
      `  platform: darwin → ${platform}`,
      `  arch: arm64 → ${arch}`,
    ]);
  });

  test('can still show what differs after `repro gc`', async () => {
    const project = await createRun();
    expect((await project.call(['gc'])).exitCode).toBe(0);
    await project.edit('src/shout.ts', "'!'", "'?'");
    await project.edit('configs/words/list.txt', 'two', 'zwei');
    const { stdout } = await project.call(['explain', 'words']);
    expect(stdout).toContain("-const mark = '!';");
    expect(stdout).toContain('-two');
  });

  test('says which runs there are if --against matches none', async () => {
    const project = await createRun();
    await project.expectFailure(
      ['explain', 'words', '--against', 'full'],
      2,
      'no recorded run of "words" matches "full"',
      './repro explain words --list',
    );
    const file = await project.call(['explain', 'words', '--against', 'package-lock.json']);
    expect(file.stderr).toContain('this is not a record of a run');
  });

  test('says so where an earlier text was not kept, or is no text', async () => {
    const project = await createRun({
      'configs/words/big.txt': 'x'.repeat(300_000),
      'configs/words/bytes.bin': 'a\0b',
    });
    await project.write('configs/words/big.txt', 'y');
    await project.write('configs/words/bytes.bin', 'a\0c');
    const { stdout } = await project.call(['explain', 'words']);
    expect(stdout.match(/no line by line difference: the earlier text was not kept/g)).toHaveLength(2);
  });

  test('does not take a damaged text for the earlier one', async () => {
    const project = await createRun();
    const record = JSON.parse(project.read('artifacts/.cache/records/words.json'));
    const sha256: string = record.sources['src/shout.ts'];
    await project.remove(`artifacts/.cache/store/files/${sha256.slice(0, 2)}/${sha256}`);
    await project.write(`artifacts/.cache/store/files/${sha256.slice(0, 2)}/${sha256}`, 'cut');
    await project.edit('src/shout.ts', "'!'", "'?'");
    const { stdout } = await project.call(['explain', 'words']);
    expect(stdout).toContain(
      'src/shout.ts changed\n      (no line by line difference: the earlier text was not kept)',
    );
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

  test('puts each difference below the name of its file, and counts those that it does not show', async () => {
    const names = Array.from({ length: 25 }, (_, i) => `configs/words/${String(i).padStart(2, '0')}.txt`);
    const project = await createRun(Object.fromEntries(names.map((name) => [name, `old ${name}\n`])));
    for (const name of names) await project.write(name, `new ${name}\n`);
    const { stdout } = await project.call(['explain', 'words']);
    expect(stdout).toContain('    07.txt changed\n      @@ -1,1 +1,1 @@\n      -old configs/words/07.txt\n');
    expect(stdout).toContain('\n    and 5 more, with differences of 5 texts: --json lists all');
    expect(stdout).not.toContain('24.txt');
  });

  test('shortens long differences, and shows no control characters', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `line ${i}`).join('\n');
    const project = await createRun({ 'configs/words/list.txt': lines });
    await project.write('configs/words/list.txt', lines.replaceAll('line', '\u001b[31mrow\u202e'));
    const { stdout } = await project.call(['explain', 'words']);
    expect(stdout).toMatch(/and \d+ more lines: --lines 0 shows all/);
    const all = await project.call(['explain', 'words', '--lines', '0']);
    expect(all.stdout).toContain('+\\u001b[31mrow\\u202e 59');
    expect(all.stdout).not.toContain('\u001b');
    const none = await project.call(['explain', 'words', '--no-diff']);
    expect(none.stdout).not.toContain('row');
  });
});
