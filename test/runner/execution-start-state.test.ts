import { execFileSync } from 'node:child_process';
import { chmodSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openRecords } from '../../src/runner/store/records.ts';
import { waitForFile } from '../support/processes.ts';
import { createPlan } from './rig/plan.ts';
import { startRunner } from './rig/processes.ts';
import { createProject, eventOf, type Project } from './rig/project.ts';
import { createWordProject, installWordlist } from './rig/word-project.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const waiting = ': > started; while [ ! -e go ]; do sleep 0.02; done';

/** What is written to, and how, while a stage waits; all of it is undone before the stage ends. */
const passing: readonly { name: string; input: string; change: (at: (file: string) => string) => void }[] = [
  {
    name: 'a file of a folder, by which nothing but its ctime differs afterwards',
    input: 'data/a',
    change: (at) => {
      writeFileSync(at('data/a'), 'B');
      writeFileSync(at('data/a'), 'A');
      utimesSync(at('data/a'), 1, 1);
    },
  },
  {
    name: 'a file that comes and goes',
    input: 'data',
    change: (at) => {
      writeFileSync(at('data/more'), '');
      rmSync(at('data/more'));
    },
  },
  {
    name: 'a folder that is another for a moment',
    input: 'data',
    change: (at) => {
      renameSync(at('data'), at('other'));
      renameSync(at('other'), at('data'));
    },
  },
  {
    name: 'the output of another stage',
    input: 'artifacts/made',
    change: (at) => {
      writeFileSync(at('artifacts/made'), 'B');
      writeFileSync(at('artifacts/made'), 'made');
    },
  },
  {
    name: 'the script of a command',
    input: 'use.sh',
    change: (at) => {
      renameSync(at('use.sh'), at('kept.sh'));
      writeFileSync(at('use.sh'), '');
      renameSync(at('kept.sh'), at('use.sh'));
    },
  },
];

async function createWaiting(resume: readonly string[] = []): Promise<Project> {
  const project = await createProject();
  const copy = 'cat "$REPRO_RESUME_0"/seen data/a > "$REPRO_OUTPUT_0"';
  const script =
    resume.length === 0
      ? waiting
      : `[ -e "$REPRO_RESUME_0/seen" ] || cp data/a "$REPRO_RESUME_0/seen"; ${waiting}; ${copy}`;
  await project.write('use.sh', resume.length === 0 ? `${waiting}; echo > "$REPRO_OUTPUT_0"` : script);
  await project.write('data/a', 'A');
  project.define([
    { id: 'make', sh: 'printf made > "$REPRO_OUTPUT_0"', outputs: ['artifacts/made'] },
    {
      id: 'use',
      run: ['sh', 'use.sh'],
      inputs: ['data', 'data/a', 'artifacts/made'],
      outputs: ['artifacts/use'],
      resume,
    },
  ]);
  return project;
}

describe('a result is not recorded if, while its stage ran,', () => {
  test.each(passing)('$name was written to', async ({ input, change }) => {
    const project = await createWaiting();
    const running = project.run();
    await waitForFile(project.at('started'));
    change((file) => project.at(file));
    await project.write('go', '');
    const { outcome, events } = await running;
    expect(outcome).toBe('failed');
    expect(eventOf(events, 'failed', 'use')).toMatchObject({
      code: 'input-changed',
      text: expect.stringMatching(new RegExp(`"(data|${input})" was written to while the stage was running`)),
    });
    expect(project.has('artifacts/use')).toBe(false);
    expect((await project.run()).outcome).toBe('ok');
  });

  test('a fact of the machine changed', async () => {
    const project = await createProject([
      { id: 'use', sh: `${waiting}; echo > "$REPRO_OUTPUT_0"`, facts: ['engine'] },
    ]);
    let engine = 'one';
    project.facts = { engine: async () => engine };
    const running = project.run();
    await waitForFile(project.at('started'));
    engine = 'two';
    await project.write('go', '');
    expect(eventOf((await running).events, 'failed', 'use').text).toContain(
      '"engine" (from one to two) changed',
    );
    expect((await project.run()).outcome).toBe('ok');
    expect(openRecords(createPlan(project.description)).findLast('use')?.parts.facts).toEqual({
      engine: 'two',
    });
  });

  test('a package that it imports was replaced', async () => {
    const project = await createWordProject();
    await project.edit(
      'stages/words.ts',
      "summary: 'Writes words.',",
      "summary: 'Writes words.', hermetic: false,",
    );
    await project.edit('pipeline.yaml', 'params: [words]', 'params: [words]\n    hermetic: false');
    await project.edit(
      'stages/words.ts',
      'fs.mkdirSync(outputs[0]!, { recursive: true });',
      "fs.mkdirSync(outputs[0]!, { recursive: true }); fs.writeFileSync('started', ''); while (!fs.existsSync('go')) await new Promise((end) => setTimeout(end, 20));",
    );
    const running = project.call(['run', 'words']);
    await waitForFile(project.at('started'));
    await installWordlist(project, '2.0.0');
    await project.write('go', '');
    expect((await running).stderr).toContain(
      'the package in node_modules/wordlist changed while the stage was running',
    );
    expect((await project.call(['run', 'words'])).exitCode).toBe(0);
    expect(project.read('artifacts/words/text')).toContain('2.0.0');
  });
});

describe('what an interrupted stage saved while an input was changed and changed back', () => {
  test.each(['SIGINT', 'SIGKILL'] as const)('is not resumed from, after %s', async (signal) => {
    const project = await createWaiting(['artifacts/use.resume']);
    await project.write('data/a', 'B');
    await project.write(
      'use.sh',
      `${waiting.replace('started', 'ready').replace('go', 'copy')}; ${project.read('use.sh')}`,
    );
    await project.write('data/a', 'A');
    const runner = await startRunner(project);
    await waitForFile(project.at('ready'));
    await project.write('data/a', 'B');
    await project.write('copy', '');
    await waitForFile(project.at('started'));
    runner.child.kill(signal);
    await runner.ended;
    await project.write('data/a', 'A');
    await project.write('go', '');
    const { outcome, events } = await project.run();
    expect(outcome).toBe('ok');
    expect(eventOf(events, 'note', 'use').text).toContain('may come from a changed input');
    expect(project.read('artifacts/use')).toBe('AA');
  });

  /** `use` has saved what it saw of its inputs, and its runner is gone. */
  async function killWhileWaiting(change: (project: Project) => Promise<void>): Promise<Project> {
    const project = await createWaiting(['artifacts/use.resume']);
    const runner = await startRunner(project);
    await waitForFile(project.at('started'));
    await project.write('artifacts/use.resume/seen', 'saved');
    await change(project);
    runner.child.kill('SIGKILL');
    await runner.ended;
    await project.write('go', '');
    return project;
  }

  test('is not resumed from if what a stage makes was changed, and changed back after SIGKILL', async () => {
    const project = await killWhileWaiting((one) => one.write('artifacts/made', 'B'));
    await project.write('artifacts/made', 'made');
    expect((await project.status()).find(({ id }) => id === 'use')?.reasons).not.toContainEqual(
      expect.objectContaining({ cue: 'interrupted' }),
    );
    expect((await project.run()).outcome).toBe('ok');
    expect(project.read('artifacts/use')).toBe('AA');
  });

  test('is not resumed from if what a stage makes was changed, and removed after SIGKILL', async () => {
    const project = await killWhileWaiting((one) => one.write('artifacts/made', 'B'));
    await project.remove('artifacts/made');
    expect((await project.run()).outcome).toBe('ok');
    expect(project.read('artifacts/use')).toBe('AA');
  });

  test('is resumed from after SIGKILL if only the runner has replaced what a stage makes', async () => {
    const project = await killWhileWaiting(async () => {});
    const { stages } = project.description;
    project.define([{ id: 'make', sh: 'printf other > "$REPRO_OUTPUT_0"', outputs: ['artifacts/made'] }]);
    await project.run();
    project.define(stages);
    const make = await project.run({ selected: new Set(['make']) });
    expect([make.cached, project.read('artifacts/made')]).toEqual([['make'], 'made']);
    expect(await project.reasonsOf('use')).toContain('interrupted: interrupted: resumes from what it saved');
    expect((await project.run()).outcome).toBe('ok');
    expect(project.read('artifacts/use')).toBe('savedA');
  });

  test('is resumed from if the change came after the stage was interrupted', async () => {
    const project = await createWaiting(['artifacts/use.resume']);
    const runner = await startRunner(project);
    await waitForFile(project.at('started'));
    runner.child.kill('SIGINT');
    await runner.ended;
    await project.write('artifacts/use.resume/seen', 'saved');
    await project.write('data/a', 'B');
    await project.write('data/a', 'A');
    await project.write('go', '');
    expect((await project.run()).outcome).toBe('ok');
    expect(project.read('artifacts/use')).toBe('savedA');
  });
});

test('what a stage saved is resumed from if it could not be found out whether anything had changed', async () => {
  const project = await createProject([
    {
      id: 'use',
      sh: `${waiting}; cat "$REPRO_RESUME_0/seen" > "$REPRO_OUTPUT_0"`,
      resume: ['artifacts/use.resume'],
      facts: ['engine'],
    },
  ]);
  let isBroken = false;
  project.facts = {
    engine: async () => {
      if (isBroken) throw new Error('the driver does not answer');
      return 'one';
    },
  };
  const stop = new AbortController();
  const running = project.run({ signal: stop.signal });
  await waitForFile(project.at('started'));
  await project.write('artifacts/use.resume/seen', 'saved');
  isBroken = true;
  stop.abort();
  expect((await running).outcome).toBe('interrupted');
  isBroken = false;
  await project.write('go', '');
  expect((await project.run()).outcome).toBe('ok');
  expect(project.read('artifacts/use')).toBe('saved');
});

describe('what changes while a run is under way', () => {
  test('counts for the stages that have not started', async () => {
    const project = await createWordProject();
    await project.edit(
      'pipeline.yaml',
      'inputs: [configs/words, data.txt]',
      'inputs: [configs/words, data.txt, artifacts/gate]',
    );
    await project.write(
      'pipeline.yaml',
      `${project.read('pipeline.yaml')}  gate:\n    cmd: [sh, -c, '${waiting}; echo > "$REPRO_OUTPUT_0"']\n    outputs: [artifacts/gate]\n`,
    );
    const running = project.call(['run', 'words']);
    await waitForFile(project.at('started'));
    await project.edit('src/shout.ts', "'!'", "'?'");
    await installWordlist(project, '2.0.0');
    await project.write('go', '');
    expect((await running).exitCode).toBe(0);
    expect(project.read('artifacts/words/text')).toMatch(/^HELLO\?HELLO\?.*2\.0\.0$/s);
    // Recorded under what it was made with: putting the old code back makes it stale.
    expect(
      (await project.json(['status', 'words'])).instances.map((one: { state: string }) => one.state),
    ).not.toContain('stale');
    await project.edit('src/shout.ts', "'?'", "'!'");
    expect((await project.call(['status', 'words', '--exit-code'])).exitCode).toBe(3);
  });

  test('is not used by a stage if an earlier one of the run, which may have verified it, read something else', async () => {
    const project = await createProject();
    await project.write('data/a', 'A');
    const verify = { id: 'verify', sh: `cp data/a "$REPRO_OUTPUT_0"`, inputs: ['data'] };
    const stage = (id: string, inputs: readonly string[], before = '') => ({
      ...{ id, inputs },
      sh: `${before} cat data/a > "$REPRO_OUTPUT_0"`,
    });
    project.define([
      verify,
      stage('gate', ['artifacts/verify'], `${waiting};`),
      stage('use', ['artifacts/gate', 'data']),
    ]);
    const running = project.run();
    await waitForFile(project.at('started'));
    await project.write('data/a', 'bad');
    await project.write('go', '');
    const { outcome, events } = await running;
    expect(outcome).toBe('failed');
    expect(eventOf(events, 'failed', 'use')).toMatchObject({
      code: 'input-changed',
      text: expect.stringContaining('"data" has changed since stage "verify" of this run read it'),
    });
    expect((await project.run()).ran).toEqual(['verify', 'gate', 'use']);
    // Also where the earlier one need not run.
    await project.remove('go');
    await project.remove('started');
    project.define([
      verify,
      stage('gate', [], `${waiting};`),
      stage('use', ['artifacts/gate', 'data'], ':;'),
    ]);
    const again = project.run();
    await waitForFile(project.at('started'));
    await project.write('data/a', 'worse');
    await project.write('go', '');
    expect(eventOf((await again).events, 'failed', 'use').text).toContain('since stage "verify"');
  });

  test('is not run by a stage whose fingerprint was found before', async () => {
    const project = await createProject();
    const writeStage = (value: string): Promise<void> =>
      project.write(
        'stages/make.ts',
        `import { writeFileSync } from 'node:fs';
         export default { summary: '', run: ({ outputs }: { outputs: string[] }) => writeFileSync(outputs[0]!, '${value}') };`,
      );
    await writeStage('old');
    project.define([
      {
        id: 'first',
        sh: 'while [ ! -e started ]; do sleep 0.02; done; : > "$REPRO_OUTPUT_0"',
        outputs: ['artifacts/first'],
      },
      { id: 'other', sh: `${waiting}; : > "$REPRO_OUTPUT_0"`, outputs: ['artifacts/other'] },
      { id: 'make', run: 'stages/make.ts', inputs: ['artifacts/first'], outputs: ['artifacts/made'] },
    ]);
    // The third to ask for the commit is `make`, whose fingerprint is known by then.
    await project.write(
      'bin/git',
      '#!/bin/sh\nmkdir one || mkdir two || { : > asked; while [ ! -e answer ]; do sleep 0.02; done; }\necho none >&2\nexit 1\n',
    );
    chmodSync(project.at('bin/git'), 0o755);
    vi.stubEnv('PATH', `${project.at('bin')}:${process.env.PATH}`);
    const running = project.run({
      // Whatever ends has code read anew by what comes later.
      onEvent: (event) => {
        if (event.kind === 'finished' && event.id === 'other') writeFileSync(project.at('answer'), '');
      },
    });
    await waitForFile(project.at('asked'));
    await writeStage('new');
    await project.write('go', '');
    expect(eventOf((await running).events, 'failed', 'make').code).toBe('input-changed');
    await project.run();
    expect(project.read('artifacts/made')).toBe('new');
    await writeStage('old');
    await project.run();
    expect(project.read('artifacts/made')).toBe('old');
  });

  test('is not in the commit of a stage that had started', async () => {
    const project = await createProject([{ id: 'use', sh: `${waiting}; echo > "$REPRO_OUTPUT_0"` }]);
    const git = (...args: readonly string[]): string =>
      execFileSync(
        'git',
        ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false', ...args],
        {
          cwd: project.root,
          encoding: 'utf8',
        },
      ).trim();
    git('init', '-q');
    await project.write('.gitignore', 'artifacts/\ncounts/\nstarted\ngo\n');
    git('add', '.');
    git('commit', '-q', '-m', 'Begin');
    const commit = git('rev-parse', 'HEAD');
    const running = project.run();
    await waitForFile(project.at('started'));
    git('commit', '-q', '--allow-empty', '-m', 'Go on');
    await project.write('go', '');
    await running;
    expect(openRecords(createPlan(project.description)).findLast('use')).toMatchObject({
      commit,
      dirty: false,
    });
  });
});
