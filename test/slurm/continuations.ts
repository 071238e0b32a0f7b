import { chmod, mkdir, symlink } from 'node:fs/promises';
import process from 'node:process';
import { expect, test } from 'vitest';
import { cluster } from './slurm-cluster.ts';
import { fastSettings, SlurmProject } from './slurm-project.ts';

/**
 * Is done at once if an earlier process of it has saved something. Otherwise works until it is told to end, and then saves (`save`), does not
 * (`lose`), or has saved long before and does not end (`deaf`).
 */
const long = `import fs from 'node:fs';
const [what] = process.argv.slice(2);
const saved = process.env.REPRO_RESUME_0 + '/epoch';
const count = () => fs.appendFileSync('counts/' + process.env.REPRO_ID.replaceAll(/\\W/g, '-'), 'x\\n');
if (!fs.existsSync(saved)) {
  if (what === 'deaf') fs.writeFileSync(saved, '1');
  process.on('SIGTERM', () => {
    if (what === 'save') fs.writeFileSync(saved, '1');
    if (what !== 'deaf') process.exit(1);
  });
  count();
  await new Promise((resolve) => setTimeout(resolve, 300_000));
}
count();
fs.mkdirSync(process.env.REPRO_OUTPUT_0);
fs.copyFileSync(saved, process.env.REPRO_OUTPUT_0 + '/epoch');
`;

/** Names differ, since the tests share a cluster. */
const resumable = (name: string, what: string): string => `  ${name}:
    cmd: [node, long.mjs, ${what}]
    outputs: [artifacts/${name}]
    resume: [artifacts/${name}.resume]
`;

/** A warning that comes in the last two minutes and a half, or so, is that of the end of the time. */
const timed = 'defaults: { time: 2m }\n';

async function createProject(stages: string, settings = timed): Promise<SlurmProject> {
  const project = await SlurmProject.on(cluster(), stages, `${fastSettings}${settings}`);
  await project.write('long.mjs', long);
  return project;
}

/** As Slurm does ahead of the limit, by the option --signal. */
const warn = (job: string) => cluster().ask('scancel', '--batch', '--signal=USR2', job);

/** What becomes of a stage whose job ends before the stage is done. */
export function describeContinuations(): void {
  test.concurrent('a job that has reached its time limit saves its work, and another goes on with it', async () => {
    const project = await createProject(
      `${resumable('timed', 'save')}  follows: { cmd: [node, tool.mjs], inputs: [artifacts/timed], outputs: [artifacts/follows] }\n`,
    );
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
    expect(stderr).toMatch(/used up its time; continuing in another job with what it saved \(1 of 20\)/);
    expect(project.count('timed')).toBe(2);
    const { seconds, totalSeconds } = JSON.parse(project.read('artifacts/.cache/records/timed.json'));
    expect(totalSeconds).toBeGreaterThan(seconds + 10);
  });

  test.concurrent('so does one in a container that knows nothing of Slurm', async () => {
    const settings = 'defaults: { time: 10m }\ncommand: [./container, run]\n';
    const project = await createProject(resumable('boxed', 'save'), settings);
    await mkdir(project.at('tools'));
    await symlink(process.execPath, project.at('tools/node'));
    await project.write('container', '#!/bin/sh\nshift\nPATH="$PWD/tools" exec "$@"\n');
    await chmod(project.at('container'), 0o755);
    const running = project.run();
    await project.waitForCount('boxed');
    await warn(await cluster().findRunning('boxed'));
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 run')]);
    expect(stderr).toContain('used up its time; continuing in another job');
    expect(project.count('boxed')).toBe(2);
  });

  test.concurrent('one that nobody watches is gone on with by the next command', async () => {
    const project = await createProject(resumable('alone', 'save'));
    const running = project.run();
    await project.waitForCount('alone');
    running.kill('SIGKILL');
    await running;
    await warn(await cluster().findRunning('alone'));
    await cluster().expectJobs('alone', [/^(FAILED|COMPLETED)/]);
    const { stderr, exitCode } = await project.call(['attach']);
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 run')]);
    expect(stderr).toContain('used up its time; continuing in another job');
    expect(project.count('alone')).toBe(2);
  });

  test.concurrent('one that was killed at its time limit is submitted again if it had saved something; one that cannot be resumed has failed', async () => {
    const endless = '  endless: { cmd: [node, tool.mjs, wait], outputs: [artifacts/endless] }\n';
    const project = await createProject(resumable('deaf', 'deaf') + endless);
    const running = project.run('--json');
    for (const name of ['deaf', 'endless']) {
      await project.waitForCount(name);
      const job = await cluster().findRunning(name);
      await cluster().ask('scontrol', 'update', `JobId=${job}`, 'EndTime=now+1');
    }
    const { stdout, stderr } = await running;
    expect(stderr).toMatch(/job \d+ on \S+ reached its time limit; continuing in another job/);
    await cluster().expectJobs('deaf', [/^TIMEOUT/, /^COMPLETED/]);
    const [deaf, failed] = JSON.parse(stdout).instances;
    expect(deaf.state).toBe('finished');
    expect(failed.failure.code).toBe('timeout');
    expect(failed.failure.text).toMatch(
      /reached its time limit\n +Raise its `time` in configs\/executors\/slurm.yaml; a stage with a resume folder/,
    );
    expect(failed.failure.logTail.join('\n')).toContain('DUE TO TIME LIMIT');
  });

  test.concurrent('one that has saved nothing fails, rather than begin again for ever', async () => {
    const project = await createProject(resumable('idle', 'lose'));
    const running = project.run();
    await project.waitForCount('idle');
    await warn(await cluster().findRunning('idle'));
    const { stderr, exitCode } = await running;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/used up its time, and it saved nothing\n +Raise its `time`/);
    expect(project.count('idle')).toBe(1);
  });

  test.concurrent('one may go on only as often as the settings say', async () => {
    const project = await createProject(resumable('counted', 'save'), `${timed}continuations: 0\n`);
    const running = project.run();
    await project.waitForCount('counted');
    await warn(await cluster().findRunning('counted'));
    const { stderr, exitCode } = await running;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/as often as allowed \(0\); what it saved is kept\n +Run again to continue/);
    expect((await project.run()).exitCode).toBe(0);
    expect(project.count('counted')).toBe(2);
  });

  test.concurrent('one that Slurm preempts has not used its time, and is submitted again', async () => {
    const project = await createProject(
      resumable('displaced', 'save'),
      'defaults: { time: 10m }\ncontinuations: 0\nstages: { displaced: { partition: yielding, flags: [--gres=slot:1] } }\n',
    );
    const running = project.run();
    await project.waitForCount('displaced');
    await cluster().ask(
      ...['sbatch', '--partition=urgent', '--gres=slot:1', '--output=/dev/null', '--wrap=true'],
    );
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 run')]);
    expect(stderr).toMatch(/job \d+ on \S+ was preempted by another job; continuing in another job/);
    expect(project.count('displaced')).toBe(2);
    await cluster().expectJobs('displaced', [/^PREEMPTED/, /^COMPLETED/]);
  });
}
