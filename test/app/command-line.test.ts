import { existsSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { execa } from 'execa';
import { beforeEach, describe, expect, test } from 'vitest';
import { CliProject, repro } from '../runner/rig/cli-project.ts';
import { waitForFile } from '../support/processes.ts';

const pipeline = `version: 1
profiles: {folder: configs/profiles, default: small}
stages:
  first:
    cmd: [node, tools/copy.mjs, first, "\${word}"]
    params: [word]
    outputs: [artifacts/first]
  second:
    matrix: {letter: "\${letters}"}
    cmd: [node, tools/copy.mjs, "second-\${letter}"]
    inputs: [artifacts/first]
    outputs: ["artifacts/second/\${letter}"]
`;

/** Counts its runs, waits while a file `hold` exists, fails if a file `break` exists, and writes its output. */
const copyTool = `import fs from 'node:fs';
const [name, word = ''] = process.argv.slice(2);
fs.appendFileSync('runs.txt', name + '\\n');
console.log('working on ' + name);
if (fs.existsSync('hold')) { fs.writeFileSync('held', ''); setInterval(() => {}, 1000); }
else {
  if (fs.existsSync('break')) { console.error('this is why'); process.exit(7); }
  fs.mkdirSync(process.env.REPRO_OUTPUT_0, { recursive: true });
  fs.writeFileSync(process.env.REPRO_OUTPUT_0 + '/text', name + word);
}
`;

let project: CliProject;

beforeEach(async () => {
  project = await CliProject.create({
    'pipeline.yaml': pipeline,
    'configs/profiles/small.yaml': 'word: hello\nletters: [a, b]\n',
    'tools/copy.mjs': copyTool,
  });
});

const call = (words: readonly string[]) => project.call(words);

function countRuns(): string[] {
  return project.has('runs.txt') ? project.read('runs.txt').trim().split('\n') : [];
}

describe('repro run', () => {
  test('runs everything once, reports each stage as up to date the second time, and with --dry-run what would run and why', async () => {
    const first = await call(['run']);
    expect(first.exitCode).toBe(0);
    expect(first.stdout).toBe('');
    expect(first.stderr).toContain('3 run in ');
    expect(project.read('artifacts/first/text')).toBe('firsthello');
    const second = await call(['run']);
    expect(second.stderr.split('\n').slice(0, 3)).toEqual([
      '= first  up to date',
      '= second@a  up to date',
      '= second@b  up to date',
    ]);
    const dry = await call(['run', '--dry-run', '--set', 'word=bye']);
    expect(dry.exitCode).toBe(0);
    expect(dry.stderr).toMatch(/^\? first {2}would run: .*word: "hello" → "bye"/m);
    expect(countRuns().sort()).toEqual(['first', 'second-a', 'second-b']);
  });

  test('prints exactly one JSON document on stdout with --json', async () => {
    const { stdout } = await call(['run', 'second@a', '--json']);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ version: 1, command: 'run', profile: 'small', outcome: 'ok' });
    expect(document.instances.map(({ id, state }: { id: string; state: string }) => [id, state])).toEqual([
      ['first', 'finished'],
      ['second@a', 'finished'],
    ]);
  });

  test('with --force runs what is named again, but not its dependencies', async () => {
    await call(['run']);
    for (const [words, again] of [
      [['second@b'], ['second-b']],
      [['second@*'], ['second-a', 'second-b']],
      [
        ['--from', 'second'],
        ['second-a', 'second-b'],
      ],
    ] as const) {
      const before = countRuns().length;
      await call(['run', ...words, '--force', '--jobs', '1']);
      expect(countRuns().slice(before).sort()).toEqual(again);
    }
  });

  test('runs to its end when nobody reads its output', async () => {
    const { exitCode } = await execa({
      cwd: project.root,
      reject: false,
      shell: 'bash',
      env: { NODE: process.execPath, REPRO: repro },
    })`set -o pipefail; "$NODE" "$REPRO" run 2>&1 >/dev/null | head -1`;
    expect(exitCode).toBe(0);
    expect(countRuns().sort()).toEqual(['first', 'second-a', 'second-b']);
  });

  test('ends with 75 and names the other process while another run is active; SIGINT ends that one with 130', async () => {
    await project.write('hold', '');
    const holder = call(['run']);
    await waitForFile(project.at('held'));
    await project.expectFailure(['run'], 75, String(holder.pid));
    holder.kill('SIGINT');
    const ended = await holder;
    expect(ended.exitCode).toBe(130);
    expect(ended.stderr).toContain('interrupted: first');
    await project.remove('hold');
    expect((await call(['run'])).exitCode).toBe(0);
  });
});

describe('the other commands', () => {
  test('accept patterns, and status --exit-code returns 3 before a run and 0 after it', async () => {
    const before = await call(['status', '--exit-code']);
    expect(before.exitCode).toBe(3);
    expect(before.stdout.split('\n')).toHaveLength(3);
    await call(['run']);
    const after = await call(['status', '--exit-code', '--json']);
    expect(after.exitCode).toBe(0);
    const states = JSON.parse(after.stdout).instances.map((one: { state: string }) => one.state);
    expect(states).toEqual(['fresh', 'fresh', 'fresh']);
    expect((await call(['status', 'second@*'])).stdout.split('\n')).toHaveLength(2);
    expect((await project.json(['logs', 'second@*'])).logs).toHaveLength(2);
    expect((await project.json(['metrics', 'second@*'])).instances).toHaveLength(2);
  });

  test('logs of a stage that never ran is an error with the command that runs it', async () => {
    await project.expectFailure(
      ['logs', 'first', '--profile', 'small'],
      2,
      './repro run first --profile small',
    );
  });

  test('outside a project, the error tells how to name one', async () => {
    const { exitCode, stderr } = await execa(process.execPath, [repro, 'status'], {
      cwd: os.tmpdir(),
      reject: false,
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--project');
  });

  test.skipIf(!existsSync('/dev/full'))(
    'says so when its output cannot be written, without a stack',
    async () => {
      // A shell opens it, so that the process itself meets the full disk.
      const words = ['-c', 'exec "$@" > /dev/full', 'sh', process.execPath, repro, 'graph'];
      const { exitCode, stderr } = await execa('sh', words, { cwd: project.root, reject: false });
      expect(stderr).toBe(
        'the output could not be written: the disk is full (ENOSPC)\n  Free some space, then run again.',
      );
      expect(exitCode).toBe(1);
    },
  );
});
