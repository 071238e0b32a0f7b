import { chmod, mkdir, symlink } from 'node:fs/promises';
import process from 'node:process';
import { expect, test } from 'vitest';
import { fastSettings, SlurmProject } from './slurm-project.ts';
import { cluster } from './the-cluster.ts';

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
const resumable = (name: string, what: string, more = ''): string => `  ${name}:
    cmd: [node, long.mjs, ${what}]
    outputs: [artifacts/${name}]
    resume: [artifacts/${name}.resume]
${more}`;

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
  test.concurrent('a job that has reached its time limit saves its work, waits in the queue again, and goes on', async () => {
    const project = await createProject(
      `${resumable('timed', 'save')}  follows: { cmd: [node, tool.mjs], inputs: [artifacts/timed], outputs: [artifacts/follows] }
`,
      'warning: 20s\nstages: { timed: { time: 1m } }\n',
    );
    const running = project.run();
    await project.waitForCount('timed');
    const job = await cluster().findRunning('timed');
    // Slurm looks for such jobs twice a minute.
    await cluster().expectJobs('timed', [/^PENDING/], 60_000);
    await cluster().releaseRequeued(job);
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
    expect(stderr).toContain(
      "the job's time is over; back into the queue with the work saved so far (1 of 20)",
    );
    expect(project.count('timed')).toBe(2);
    // What waits for it goes on waiting.
    for (const name of ['timed', 'follows']) await cluster().expectJobs(name, [/^COMPLETED/]);
  }, 120_000);

  test.concurrent('so does one that is warned of making room, in a container that knows nothing of Slurm, as a task of an array', async () => {
    const stages = `  boxed:
    matrix: { n: [1, 2] }
    cmd: [node, long.mjs, save]
    outputs: ["artifacts/boxed/\${n}"]
    resume: ["artifacts/boxed/\${n}.resume"]
  unboxed:
    matrix: { n: [1, 2] }
    cmd: [node, tool.mjs]
    inputs: ["artifacts/boxed/\${n}"]
    outputs: ["artifacts/unboxed/\${n}"]
`;
    const project = await createProject(stages, 'defaults: { time: 10m }\ncommand: [./container, run]\n');
    await mkdir(project.at('tools'));
    await symlink(process.execPath, project.at('tools/node'));
    await project.write('container', '#!/bin/sh\nshift\nPATH="$PWD/tools" exec "$@"\n');
    await chmod(project.at('container'), 0o755);
    const running = project.run();
    for (const n of [1, 2]) await project.waitForCount(`boxed-${n}`);
    const job = await cluster().findRunning('boxed');
    const array = job.split('_')[0];
    // The last one has the id of the whole array.
    await warn(`${array}_1`);
    await cluster().releaseRequeued(`${array}_1`);
    await project.waitForCount('boxed-2', 2);
    expect(project.count('boxed-1')).toBe(1);
    await warn(`${array}_0`);
    await cluster().releaseRequeued(`${array}_0`);
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('4 run')]);
    expect(stderr).toContain('making room for another job; back into the queue');
    expect(project.count('boxed-1')).toBe(2);
    await cluster().expectJobs('unboxed', [/^COMPLETED/, /^COMPLETED/]);
    expect(project.read('artifacts/boxed/2/epoch')).toBe('1');
  });

  test.concurrent('one that Slurm does not put back into the queue is submitted again, and what Slurm says is told', async () => {
    const project = await createProject(
      `${resumable('refused', 'save')}  after: { cmd: [node, tool.mjs], inputs: [artifacts/refused], outputs: [artifacts/after] }\n`,
    );
    const running = project.run();
    await project.waitForCount('refused');
    const job = await cluster().findRunning('refused');
    await cluster().ask('scontrol', 'update', `JobId=${job}`, 'Requeue=0');
    await warn(job);
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
    expect(stderr).toMatch(
      new RegExp(
        `job ${job} on \\S+ used up its time, and Slurm did not requeue it: Requested operation is presently disabled.*; continuing in another job`,
      ),
    );
    await cluster().expectJobs('refused', [/^FAILED/, /^COMPLETED/]);
  });

  test.concurrent.each(['attach', 'run'])(
    'one that nobody watches is gone on with by the next command: %s',
    async (next) => {
      const name = `alone-${next}`;
      const project = await createProject(resumable(name, 'save'));
      await project.run('--detach');
      await project.waitForCount(name);
      const job = await cluster().findRunning(name);
      await cluster().ask('scontrol', 'update', `JobId=${job}`, 'Requeue=0');
      await warn(job);
      await cluster().expectJobs(name, [/^FAILED/]);
      const { stderr, exitCode } = await (next === 'run' ? project.run() : project.call([next]));
      expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 run')]);
      expect(stderr).toContain('did not requeue it: Requested operation is presently disabled');
      expect(project.count(name)).toBe(2);
    },
  );

  test.concurrent('one that was killed at its time limit is submitted again if it had saved something; one that cannot be resumed has failed', async () => {
    const endless = '  endless: { cmd: [node, tool.mjs, wait], outputs: [artifacts/endless] }\n';
    const project = await createProject(resumable('deaf', 'deaf') + endless);
    await project.edit(
      'tool.mjs',
      "while (what === 'wait'",
      "console.log('it works');\nwhile (what === 'wait'",
    );
    const running = project.run('--json');
    for (const name of ['deaf', 'endless']) {
      await project.waitForCount(name);
      await cluster().ask(
        'scontrol',
        'update',
        `JobId=${await cluster().findRunning(name)}`,
        'EndTime=now+1',
      );
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
    expect(failed.seconds).toBeGreaterThan(0);
    const log = project.read('artifacts/.cache/logs/endless.log');
    expect(log).toMatch(
      /^it works\n.*\n# job \d+, before or after the stage itself\n(.*\n)*.*DUE TO TIME LIMIT/m,
    );
  }, 120_000);

  test.concurrent('one that has saved nothing fails, rather than begin again for ever', async () => {
    const project = await createProject(resumable('idle', 'lose'));
    const running = project.run();
    await project.waitForCount('idle');
    await warn(await cluster().findRunning('idle'));
    const { stderr, exitCode } = await running;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("the job's time is over, and it saved nothing");
    expect(project.count('idle')).toBe(1);
  });

  test.concurrent('one may go on only as often as the settings say', async () => {
    const project = await createProject(resumable('counted', 'save'), `${timed}continuations: 0\n`);
    const running = project.run();
    await project.waitForCount('counted');
    await warn(await cluster().findRunning('counted'));
    const { stderr, exitCode } = await running;
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/as often as allowed \(0\); its saved work is kept\n +Run again to continue/);
    expect((await project.run()).exitCode).toBe(0);
    expect(project.count('counted')).toBe(2);
  });

  test.concurrent('one that makes room for another, and is put back into the queue by Slurm, has not used its time', async () => {
    const project = await createProject(
      resumable('displaced', 'save', '    resources: { partition: yielding, flags: [--gres=slot:1] }\n'),
      'defaults: { time: 10m }\ncontinuations: 0\n',
    );
    const running = project.run();
    await project.waitForCount('displaced');
    const job = await cluster().findRunning('displaced');
    await cluster().ask(
      ...['sbatch', '--partition=urgent', '--gres=slot:1', '--output=/dev/null', '--wrap=true'],
    );
    await cluster().releaseRequeued(job);
    const { stderr, exitCode } = await running;
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('1 run')]);
    expect(project.count('displaced')).toBe(2);
    await cluster().expectJobs('displaced', [/^COMPLETED/]);
  });
}
