import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { waitForFile } from '../support/processes.ts';
import { CliProject } from './rig/cli-project.ts';

/** `make` makes `right`, and `use` copies it after a while. */
const pipeline = `version: 1
stages:
  make:
    cmd: [sh, -c, 'mkdir "$REPRO_OUTPUT_0"; echo right > "$REPRO_OUTPUT_0/f"']
    outputs: [artifacts/make]
  use:
    cmd: [sh, use.sh]
    inputs: [INPUT]
    outputs: [artifacts/use]
`;
const use = 'touch started; sleep 1; cp -r "$REPRO_INPUT_0" "$REPRO_OUTPUT_0"\n';

function create(input = 'artifacts/make', script = use): Promise<CliProject> {
  return CliProject.create({ 'pipeline.yaml': pipeline.replace('INPUT', input), 'use.sh': script });
}

describe('an input that another stage made is not accepted if it is altered', () => {
  test.each(['artifacts/make', 'artifacts/make/f'])('while the stage runs: %s', async (input) => {
    const project = await create(input);
    const runner = project.call(['run']);
    await waitForFile(project.at('started'));
    writeFileSync(project.at('artifacts/make/f'), 'WRONG\n');
    const { exitCode, stderr } = await runner;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/"artifacts\/make" was written to while the stage was running/);
    expect(existsSync(project.at('artifacts/use'))).toBe(false);
    expect((await project.call(['run'])).exitCode).toBe(0);
    const copy = input.endsWith('f') ? 'artifacts/use' : 'artifacts/use/f';
    expect(project.read(copy)).toBe('right\n');
  });

  describe('and nothing resumes from what was made of it', () => {
    const resuming = `if [ -e "$REPRO_RESUME_0/f" ]; then cp "$REPRO_RESUME_0/f" "$REPRO_OUTPUT_0"; exit; fi
touch started; while [ ! -e go ]; do sleep 0.02; done
cp "$REPRO_INPUT_0/f" "$REPRO_RESUME_0/f"; touch kept; [ ! -e fail ] || sleep 60
cp "$REPRO_RESUME_0/f" "$REPRO_OUTPUT_0"\n`;

    async function start() {
      const project = await create('artifacts/make', resuming);
      await project.edit(
        'pipeline.yaml',
        'outputs: [artifacts/use]',
        'outputs: [artifacts/use]\n    resume: [artifacts/use.resume]',
      );
      const runner = project.call(['run']);
      await waitForFile(project.at('started'));
      writeFileSync(project.at('artifacts/make/f'), 'WRONG\n');
      return { project, runner };
    }

    test('if that is noticed at the end', async () => {
      const { project, runner } = await start();
      writeFileSync(project.at('go'), '');
      expect((await runner).exitCode).toBe(1);
      const { exitCode, stderr } = await project.call(['run']);
      expect(exitCode).toBe(0);
      expect(stderr).toContain(
        'artifacts/use.resume belonged to no recorded run, or may come from a changed input',
      );
      expect(project.read('artifacts/use')).toBe('right\n');
    });

    test('if the runner was killed before', async () => {
      const { project, runner } = await start();
      for (const file of ['fail', 'go']) writeFileSync(project.at(file), '');
      await waitForFile(project.at('kept'));
      runner.kill('SIGKILL');
      await runner;
      rmSync(project.at('fail'));
      expect((await project.call(['run'])).exitCode).toBe(0);
      expect(project.read('artifacts/use')).toBe('right\n');
    });
  });

  test('between two stages of a run', async () => {
    const project = await create();
    await project.write(
      'pipeline.yaml',
      `${project.read('pipeline.yaml')}  vandal:
    cmd: [sh, -c, 'echo WRONG > artifacts/make/f; echo > "$REPRO_OUTPUT_0"']
    inputs: [artifacts/use]
    outputs: [artifacts/vandal]
  last:
    cmd: [sh, -c, 'cp -r "$REPRO_INPUT_1" "$REPRO_OUTPUT_0"']
    inputs: [artifacts/vandal, artifacts/make]
    outputs: [artifacts/last]
`,
    );
    const { exitCode, stderr } = await project.call(['run', 'last', '--jobs', '1']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'input "artifacts/make", which stage "make" makes, was changed after its stage made it',
    );
    expect((await project.call(['run', 'last'])).exitCode).toBe(0);
    expect(project.read('artifacts/last/f')).toBe('right\n');
  });

  test('by the stage itself', async () => {
    const project = await create(
      'artifacts/make',
      'echo WRONG > "$REPRO_INPUT_0/f"; cp -r "$REPRO_INPUT_0" "$REPRO_OUTPUT_0"\n',
    );
    await project.expectFailure(['run'], 1, 'If a command did that', 'let it use a copy.');
  });

  test('by a hard link to it, which every run would make again, and is advised to copy', async () => {
    const project = await create('artifacts/make/f', 'ln "$REPRO_INPUT_0" "$REPRO_OUTPUT_0"\n');
    for (const _ of ['once', 'again'])
      await project.expectFailure(['run'], 1, '"artifacts/make" was written to', '(ln, cp -l)', 'copy');
    await project.write('use.sh', 'cp "$REPRO_INPUT_0" "$REPRO_OUTPUT_0"\n');
    expect((await project.call(['run'])).exitCode).toBe(0);
  });

  test('or by no stage: the advice is the same', async () => {
    const project = await create('own.txt', 'echo more >> own.txt; cp own.txt "$REPRO_OUTPUT_0"\n');
    await project.write('own.txt', 'own\n');
    for (const _ of ['once', 'again'])
      await project.expectFailure(['run', 'use'], 1, '"own.txt" was written to', 'let it use a copy.');
  });

  test('of several makers, naming the one', async () => {
    const project = await CliProject.create({
      'use.sh': 'touch started; sleep 1; echo > "$REPRO_OUTPUT_0"\n',
      'pipeline.yaml': `version: 1
stages:
  one: { cmd: [sh, -c, 'echo 1 > "$REPRO_OUTPUT_0"'], outputs: [artifacts/all/one] }
  two: { cmd: [sh, -c, 'echo 2 > "$REPRO_OUTPUT_0"'], outputs: [artifacts/all/two] }
  use: { cmd: [sh, use.sh], inputs: [artifacts/all], outputs: [artifacts/use] }
`,
    });
    const runner = project.call(['run']);
    await waitForFile(project.at('started'));
    writeFileSync(project.at('artifacts/all/two'), 'WRONG\n');
    const { exitCode, stderr } = await runner;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('"artifacts/all/two" was written to while');
  });
});
