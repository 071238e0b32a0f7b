import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { waitForEnd, waitForFile } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createStagesProject } from './rig/stages-project.ts';

/** Debian: apt-get install strace. Without it, or where it may not watch programs, most tests here are skipped. */
const canTrace = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;

const command = 's:\n  cmd: [sh, tools/s.sh]\n  inputs: [in]\n  outputs: [artifacts/s]\n';

async function createCommand(script: string) {
  const project = await createStagesProject(command);
  await project.write('in', 'input');
  await project.write('tools/s.sh', script);
  return project;
}

describe.skipIf(!canTrace)('repro run --trace', () => {
  test('reports what a command reads and writes elsewhere, with lines that declare it', async () => {
    const outside = await temporaryFolder();
    await fs.writeFile(`${outside}/é`, '');
    const project = await createCommand(
      `set -e; cat in a.txt "b c.txt" > "$REPRO_OUTPUT_0"
       (cd deep; cat d.txt >> "$REPRO_OUTPUT_0")
       cat "${outside}/é"; mkdir made; echo x > made/x; mv made/x made/y
       t=$(mktemp); echo temporary > "$t"; cat "$t"; rm "$t"; test -e missing || true`,
    );
    for (const name of ['a.txt', 'b c.txt', 'deep/d.txt']) await project.write(name, name);
    const { exitCode, stderr } = await project.call(['run', '--trace']);
    expect(exitCode).toBe(5);
    expect(stderr).toContain(
      `! s  without declaring it, this stage read a.txt, b c.txt, deep/d.txt, ${outside}/é; and wrote made\n`,
    );
    const lines = ['a.txt', '"b c.txt"', 'deep/d.txt'].map((one) => `        - ${one}\n`).join('');
    expect(stderr).toContain(`      inputs:\n${lines}        - { path: "${outside}/é", external: true }\n`);
    expect(stderr).toContain('1 run');

    await project.edit(
      'pipeline.yaml',
      '[in]',
      `[in, a.txt, "b c.txt", deep, {path: "${outside}", external: true}]`,
    );
    await project.edit('tools/s.sh', 'mkdir made; echo x > made/x; mv made/x made/y', '');
    expect(await project.json(['run', '--trace'])).toMatchObject({
      instances: [{ undeclared: [], yaml: [] }],
    });
    const second = await project.call(['run', '--trace']);
    expect(second.exitCode).toBe(0);
    expect(second.stderr).toContain('1 up to date, so not traced; --force runs and traces them');
  });

  test('proposes only lines that pipeline.yaml accepts', async () => {
    const project = await createStagesProject(
      `first:\n  cmd: [sh, -c, 'mkdir "$REPRO_OUTPUT_0"']\n  outputs: [artifacts/first]\n${command}`,
    );
    await project.write('in', 'input');
    await project.write(
      'tools/s.sh',
      'sed -i s/input/altered/ "$REPRO_INPUT_0"; echo x > artifacts/first/extra; echo x > plot.png; : > "$REPRO_OUTPUT_0"',
    );
    await project.call(['run', 'first']);
    const traced = await project.json(['run', '--trace', 's']);
    expect(traced.instances[0].yaml).toEqual(['outputs:', '  - artifacts/plot.png']);
    await project.write('in', 'input');
    const { stderr } = await project.call(['run', '--trace', '--force', 's']);
    expect(stderr).toContain('A stage must not change its inputs: write a changed copy to');
    expect(stderr).toContain('artifacts/first/extra cannot be an output of this stage');
  });

  test('knows the programs that a command runs, and what belongs to them', async () => {
    const project = await createStagesProject(
      's:\n  cmd: [node, tools/s.mjs]\n  inputs: [in]\n  outputs: [artifacts/s]\n',
    );
    await project.write('in', 'input');
    await project.write(
      'tools/s.mjs',
      `import fs from 'node:fs'; import os from 'node:os'; import { execFileSync } from 'node:child_process';
       os.cpus(); execFileSync('ls', ['/']);
       fs.cpSync(process.env.REPRO_INPUT_0, process.env.REPRO_OUTPUT_0);`,
    );
    const { exitCode, stderr } = await project.call(['run', '--trace']);
    expect(stderr).toContain('1 run');
    expect(stderr).not.toContain('without declaring');
    expect(exitCode).toBe(0);
  });

  test('makes a module fail that reads undeclared files, and names all of them at once, also those of its threads', async () => {
    const project = await createStagesProject('s:\n  run: s.mjs\n  inputs: [in]\n  outputs: [artifacts/s]\n');
    await project.write('in', '');
    for (const name of ['a', 'b', 'c']) await project.write(name, name);
    await project.write(
      's.mjs',
      `import fs from 'node:fs'; import os from 'node:os'; import { Worker } from 'node:worker_threads';
       export default { summary: '', async run({ outputs, inputs }) {
         fs.readFileSync(inputs[0]); fs.writeFileSync(os.tmpdir() + '/x', ''); fs.readFileSync('b'); fs.readFileSync('a');
         const thread = new Worker('require("node:fs").readFileSync("c")', { eval: true });
         await new Promise((resolve) => thread.once('exit', resolve));
         fs.writeFileSync(outputs[0], '');
       } };`,
    );
    await project.expectFailure(
      ['run', '--trace'],
      1,
      'pipeline.yaml:4:3  without declaring it, this stage read a, b, c\n',
      '    inputs:\n      - a\n      - b\n      - c\n',
    );
    expect(project.has('artifacts/s')).toBe(false);
  });

  test('passes on how a stage ends', async () => {
    const project = await createCommand('cat a.txt; echo the reason >&2; exit 7');
    await project.write('a.txt', '');
    await project.expectFailure(
      ['run', '--trace'],
      1,
      's failed: "sh" exited with code 7',
      'this stage read a.txt',
      '| the reason',
    );
  });

  test('ends with everything that it has started when it is interrupted', async () => {
    const project = await createCommand('sleep 1000 & echo $! > artifacts/pid; wait');
    const running = project.call(['run', '--trace']);
    await waitForFile(project.at('artifacts/pid'));
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(143);
    await waitForEnd(Number(project.read('artifacts/pid')));
  });
});

test('repro run --trace without strace says how to get it, and runs nothing', async () => {
  const project = await createCommand('echo x > "$REPRO_OUTPUT_0"');
  const { exitCode, stderr } = await project.call(['run', '--trace'], { PATH: '/nowhere' });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(process.platform === 'linux' ? 'apt-get install strace' : 'exists for Linux only');
  expect(project.has('artifacts/s')).toBe(false);
});
