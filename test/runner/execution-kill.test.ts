import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { waitForEnd, waitForFile } from '../support/processes.ts';
import { type RunnerOptions, type RunnerProcess, startRunner } from './rig/processes.ts';
import { createProject, eventOf, type Project } from './rig/project.ts';

/** A module that writes half of its output and then computes without ever yielding to its event loop. */
const busyStage = `
  import { existsSync, mkdirSync, writeFileSync, appendFileSync } from 'node:fs';
  export default { summary: '', async run({ outputs, resume }) {
    appendFileSync('counts/busy', 'x\\n');
    mkdirSync(outputs[0]);
    writeFileSync(outputs[0] + '/half', 'half');
    if (resume[0]) appendFileSync(resume[0] + '/state', 'step\\n');
    writeFileSync('counts/pid', String(process.pid));
    writeFileSync('counts/ready', '');
    while (!existsSync('go')) {}
    writeFileSync(outputs[0] + '/whole', 'whole');
  } };`;

async function createBusyProject(): Promise<Project> {
  const project = await createProject();
  await project.write('stages/busy.ts', busyStage);
  project.define([
    { id: 'busy', run: 'stages/busy.ts', outputs: ['artifacts/busy'], resume: ['artifacts/busy.resume'] },
    { id: 'after', sh: 'ls artifacts/busy > "$REPRO_OUTPUT_0"', inputs: ['artifacts/busy'] },
  ]);
  return project;
}

/** A shell with its own children. */
async function createCommandProject(): Promise<Project> {
  const project = await createProject([
    {
      id: 'cmd',
      sh: 'echo x >> counts/cmd; echo half > "$REPRO_OUTPUT_0"; sleep 1000 & echo $! > counts/child; echo $$ > counts/pid; echo $PPID > counts/host; touch counts/ready; if test -e go; then kill $!; exit 0; fi; wait',
    },
  ]);
  return project;
}

/** A runner whose stage has begun. */
async function startReady(project: Project, options: RunnerOptions = {}): Promise<RunnerProcess> {
  await project.remove('counts/ready');
  const runner = await startRunner(project, options);
  await waitForFile(project.at('counts/ready'));
  return runner;
}

const waitForEndOf = (project: Project, name: 'pid' | 'child') =>
  waitForEnd(Number(project.read(`counts/${name}`)));

/** Starts a runner and kills it; the stage ends with it. */
async function killRunner(project: Project): Promise<void> {
  const runner = await startReady(project);
  runner.kill('SIGKILL');
  await runner.ended;
  await waitForEndOf(project, 'pid');
}

async function finish(project: Project): Promise<void> {
  await project.write('go', '');
  const { outcome } = await project.run();
  expect(outcome).toBe('ok');
  expect(readdirSync(project.at('artifacts/.cache/tmp'))).toEqual([]);
  expect((await project.status()).every((one) => one.state === 'fresh')).toBe(true);
}

describe('a killed runner', () => {
  test('takes a stage with it that computes without pausing, and the next run completes', async () => {
    const project = await createBusyProject();
    await killRunner(project);
    expect(project.has('artifacts/busy')).toBe(false);
    expect(project.read('artifacts/busy.resume/state')).toBe('step\n');
    await finish(project);
    expect(project.read('artifacts/after')).toBe('half\nwhole\n');
    expect(project.count('busy')).toBe(2);
  });

  test('resumes its work before and after a run with other parameters', async () => {
    const project = await createBusyProject();
    const tryAndKill = async (epochs: number): Promise<void> => {
      project.define(project.description.stages.map((one) => ({ ...one, params: { epochs } })));
      await killRunner(project);
    };
    await tryAndKill(1);
    await tryAndKill(1);
    await tryAndKill(2);
    expect(project.read('artifacts/busy.resume/state')).toBe('step\n');
    await tryAndKill(1);
    expect(project.read('artifacts/busy.resume/state')).toBe('step\nstep\nstep\n');
    await finish(project);
    expect(project.has('artifacts/busy.resume')).toBe(false);
  });

  test('is said to resume only as long as nobody wrote to the inputs of its stage', async () => {
    const project = await createBusyProject();
    const [busy] = project.description.stages;
    await project.write('settings.txt', 'depth 3');
    project.define([{ ...busy!, inputs: ['settings.txt'] }]);
    const resumes = 'interrupted: interrupted: resumes from what it saved';
    await killRunner(project);
    expect(await project.reasonsOf('busy')).toContain(resumes);
    await project.write('settings.txt', 'depth 3');
    expect(await project.reasonsOf('busy')).not.toContain(resumes);
    await killRunner(project);
    expect(project.read('artifacts/busy.resume/state')).toBe('step\n');
  });

  test.each([false, true])(
    'that had recorded a result leaves nothing that a forced run resumes from, also if others ran since: %s',
    async (isLater) => {
      const project = await createProject();
      await project.write(
        'stages/s.mjs',
        `import { existsSync, writeFileSync } from 'node:fs';
       export default { summary: '', async run({ outputs, resume }) {
         writeFileSync(outputs[0], existsSync(resume[0] + '/state') ? 'resumed' : 'from scratch');
         writeFileSync(resume[0] + '/state', 'all is done');
       } };`,
      );
      const define = (epochs: number): void =>
        project.define([
          {
            id: 's',
            run: 'stages/s.mjs',
            params: { epochs },
            outputs: ['artifacts/file/s'],
            resume: ['artifacts/s.resume'],
          },
        ]);
      define(1);
      // Where the output belongs is no folder: the run ends between the record and the drop, as after a kill.
      await project.write('artifacts/file', 'in the way');
      expect((await project.run()).outcome).toBe('failed');
      expect(project.has('artifacts/s.resume/state')).toBe(true);
      await project.remove('artifacts/file');
      if (isLater) {
        define(2);
        expect((await project.run()).ran).toEqual(['s']);
        define(1);
      }
      expect((await project.run({ force: true })).outcome).toBe('ok');
      expect(project.read('artifacts/file/s')).toBe('from scratch');
      expect(project.has('artifacts/s.resume')).toBe(false);
    },
  );

  test('takes a command and its children with it', async () => {
    const project = await createCommandProject();
    await killRunner(project);
    await waitForEndOf(project, 'child');
    expect(project.has('artifacts/cmd')).toBe(false);
    await finish(project);
  });
});

describe('a killed stage', () => {
  test('counts as failed, with the signal, and nothing half-written is accepted', async () => {
    const project = await createBusyProject();
    const runner = await startReady(project);
    process.kill(Number(project.read('counts/pid')), 'SIGKILL');
    expect(await runner.ended).toEqual({ code: 1, signal: null });
    const { code, text } = eventOf(runner.events, 'failed', 'busy');
    expect(code).toBe('killed');
    expect(text).toContain('SIGKILL');
    expect(text).toContain('out of memory');
    expect(project.has('artifacts/busy')).toBe(false);
    await finish(project);
  });

  test.each([
    ['a command', 'pid'],
    ['the host of a command', 'host'],
  ])('that is %s leaves neither the command nor its children', async (_, killed) => {
    const project = await createCommandProject();
    const runner = await startReady(project);
    process.kill(Number(project.read(`counts/${killed}`)), 'SIGKILL');
    expect(await runner.ended).toEqual({ code: 1, signal: null });
    expect(eventOf(runner.events, 'failed', 'cmd')).toMatchObject({ code: 'killed' });
    await waitForEndOf(project, 'pid');
    await waitForEndOf(project, 'child');
    await finish(project);
  });
});

describe('an interrupt', () => {
  test('lets a stage save its work, and the next run continues', async () => {
    const project = await createProject();
    await project.write(
      'stages/s.ts',
      `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
       export default { summary: '', async run({ outputs, resume, signal }) {
         if (!existsSync('go')) {
           writeFileSync(outputs[0], 'half');
           await new Promise((resolve, reject) => {
             signal.addEventListener('abort', () => { appendFileSync(resume[0] + '/state', 'saved'); reject(signal.reason); });
             setInterval(() => {}, 1000);
             writeFileSync('counts/ready', '');
           });
         }
         writeFileSync(outputs[0], 'whole');
       } };`,
    );
    project.define([
      { id: 's', run: 'stages/s.ts', outputs: ['artifacts/s'], resume: ['artifacts/s.resume'] },
      { id: 'never', run: ['true'], inputs: ['artifacts/s'], outputs: ['artifacts/never'] },
    ]);
    const runner = await startReady(project);
    runner.kill('SIGINT');
    expect(await runner.ended).toEqual({ code: 130, signal: null });
    expect(runner.events.map((event) => event.kind).slice(-2)).toEqual(['interrupted', 'run-finished']);
    expect(eventOf(runner.events, 'interrupted').savedSecondsAgo).toBe(0);
    expect(project.read('artifacts/s.resume/state')).toBe('saved');
    expect(project.has('artifacts/s')).toBe(false);
    project.define(project.description.stages.slice(0, 1));
    await finish(project);
    expect(project.read('artifacts/s')).toBe('whole');
  });

  test('kills a stage that does not react after the grace period', async () => {
    const project = await createBusyProject();
    const patient = await startReady(project, { graceSeconds: 0.2 });
    patient.kill('SIGINT');
    expect(await patient.ended).toEqual({ code: 130, signal: null });
    await waitForEndOf(project, 'pid');
    // It had saved before that.
    expect(eventOf(patient.events, 'interrupted').savedSecondsAgo).toBeGreaterThanOrEqual(0.2);
    await finish(project);
  });

  test('kills a stage at the second interrupt', async () => {
    const project = await createProject([
      {
        id: 's',
        sh: 'trap "touch counts/told" TERM; echo half > "$REPRO_OUTPUT_0"; echo $$ > counts/pid; touch counts/ready; test -e go || while true; do sleep 0.05; done',
      },
    ]);
    const hasty = await startReady(project, { graceSeconds: 1000 });
    hasty.kill('SIGINT');
    await waitForFile(project.at('counts/told'));
    hasty.kill('SIGINT');
    await waitForEndOf(project, 'pid');
    expect(await hasty.ended).toEqual({ code: 130, signal: null });
    await finish(project);
  });

  test('does not accept the output of a command that exits successfully because of it', async () => {
    const project = await createProject([
      {
        id: 's',
        sh: 'trap "exit 0" TERM; echo half > "$REPRO_OUTPUT_0"; touch counts/ready; test -e go || while true; do sleep 0.05; done',
      },
    ]);
    const runner = await startReady(project);
    runner.kill('SIGINT');
    expect(await runner.ended).toEqual({ code: 130, signal: null });
    expect(eventOf(runner.events, 'interrupted').savedSecondsAgo).toBeNull();
    expect(project.has('artifacts/s')).toBe(false);
    await finish(project);
  });
});
