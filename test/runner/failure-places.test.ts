import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { createStagesProject } from './rig/stages-project.ts';
import { createWordProject } from './rig/word-project.ts';

const pipelineHead = 4;

describe('a failure names the place and the remedy', () => {
  test('of a time limit, and of a program that is not on PATH', async () => {
    const project = await createStagesProject(
      'slow:\n  cmd: [sleep, "60"]\n  outputs: [artifacts/slow]\n  resources:\n    time: 1s\ndraw:\n  cmd: [no-such-plotter, x]\n  outputs: [artifacts/x]\n',
    );
    await project.expectFailure(
      ['run'],
      1,
      `slow failed: pipeline.yaml:${pipelineHead + 4}:13  it ran longer than its limit of 1 s (resources.time)`,
      'Raise it.',
      `draw failed: pipeline.yaml:${pipelineHead + 6}:11  "no-such-plotter" is not a program on this machine's PATH`,
      'Install it, or correct `cmd:`.',
    );
  });

  test('of a package that is not installed: the source file, not its bundle', async () => {
    const project = await createWordProject();
    await project.edit('src/shout.ts', '// How', "import 'left-pad';\n// How");
    const { stderr } = await project.call(['run', 'words']);
    expect(stderr).toContain('words failed: src/shout.ts:1  package "left-pad" is not installed');
    expect(stderr).toContain('npm install left-pad');
    // As while `npm ci` installs it.
    await project.write('node_modules/left-pad/package.json', '{ "name": "left-pad", "version": "1.0.0" }');
    expect((await project.call(['run', 'words'])).stderr).toContain('package "left-pad" is not installed');
  });
});

describe('status', () => {
  test('says error and the remedy where it cannot tell, and fails', async () => {
    const made = await createWordProject();
    expect((await made.call(['run'])).exitCode).toBe(0);
    await made.remove('configs/words/list.txt');
    await execa('mkfifo', [made.at('configs/words/list.txt')]);
    const shown = await made.call(['status', 'words']);
    expect(shown.exitCode).toBe(1);
    expect(shown.stdout).toMatch(/^words {2}error {7}.*list\.txt/m);
    const { instances } = await made.json(['status', 'words']);
    expect(instances[0].state).toBe('error');
    expect(
      shown.stdout
        .split('\n')
        .map((line) => line.trim())
        .join('\n'),
    ).toContain(instances[0].error.text.split('\n').at(-1).trim());
    const dry = await made.call(['run', '--dry-run', 'words']);
    expect(dry.stderr).toContain('list.txt');
  });
});

test('a dry run warns of what is too large for this machine, as a run does', async () => {
  const project = await createStagesProject(
    'large:\n  cmd: [sh, -c, "echo > $REPRO_OUTPUT_0"]\n  outputs: [artifacts/large]\n  resources: { memory: 99999G }\n',
  );
  for (const words of [['run', '-n'], ['run']]) {
    const { stderr } = await project.call(words);
    expect(stderr).toContain('! large  asks for more than this machine has');
  }
});
