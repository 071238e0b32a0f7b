import { expect, type TestContext, test } from 'vitest';
import { StandInSlurm } from './stand-in-slurm.ts';

/** Works until it is killed, having saved something or not; what was saved is gone on with. */
const long = `import fs from 'node:fs';
const [what] = process.argv.slice(2);
const saved = process.env.REPRO_RESUME_0 + '/epoch';
fs.appendFileSync('counts/long', 'x\\n');
if (!fs.existsSync(saved) || what === 'twice' && fs.readFileSync(saved, 'utf8') === '1') {
  if (what !== 'lose') fs.writeFileSync(saved, fs.existsSync(saved) ? '22' : '1');
  fs.writeFileSync('worked', '');
  await new Promise((resolve) => setTimeout(resolve, 300_000));
}
fs.mkdirSync(process.env.REPRO_OUTPUT_0);
`;

const stage = (what: string): string =>
  `  long: { cmd: [node, long.mjs, ${what}], outputs: [artifacts/long], resume: [artifacts/long.resume] }
  next: { cmd: [node, tool.mjs], inputs: [artifacts/long], outputs: [artifacts/next] }
`;

/** A project whose only job has been ended by its time, with nobody watching. */
async function createTimedOut(
  onTestFinished: TestContext['onTestFinished'],
  what: string,
  settings = '',
): Promise<StandInSlurm> {
  const project = await StandInSlurm.with(onTestFinished, stage(what));
  await project.write('long.mjs', long);
  await project.write('configs/executors/slurm.yaml', `poll: 0.6s\npatience: 2s\n${settings}`);
  await project.run('--detach').ended;
  await endByTime(project, '101');
  return project;
}

async function endByTime(project: StandInSlurm, id: string): Promise<void> {
  await project.until(() => project.has('worked'));
  await project.end(id, 'TIMEOUT');
  await project.remove('worked');
}

test.concurrent('a run goes on with what was killed at its time limit; the job that is over counts no longer', async ({
  onTestFinished,
}) => {
  const project = await createTimedOut(onTestFinished, 'save');
  await project.tell('holds');
  const { stderr } = await project.run('--detach').ended;
  expect(stderr).toMatch(/job 101 on node1 reached its time limit; submitting it again/);
  expect(stderr).toMatch(/^2 jobs continue on the cluster\./m);
  await project.untell('holds');
  await project.until(() => project.jobs[3] === '104 COMPLETED');
  expect((await project.call(['attach'])).stderr).toContain('2 run');
  expect([project.jobs.length, project.count('long')]).toEqual([4, 2]);
  expect(project.has('artifacts/.cache/jobs')).toBe(false);
});

test.concurrent('a run tells what has saved nothing by the end of its time, and submits it only when it is run once more', async ({
  onTestFinished,
}) => {
  const project = await createTimedOut(onTestFinished, 'lose');
  const { stderr, exitCode } = await project.run('--detach').ended;
  expect([exitCode, stderr]).toEqual([
    1,
    expect.stringContaining('reached its time limit, and it saved nothing'),
  ]);
  await project.expectJobs(['101 TIMEOUT', '102 CANCELLED']);
  await project.run('--detach').ended;
  expect(project.jobs).toHaveLength(4);
});

test.concurrent('what another execution had saved, and is set aside when a job begins, is not what that job has saved', async ({
  onTestFinished,
}) => {
  const project = await createTimedOut(onTestFinished, 'save');
  await project.edit('pipeline.yaml', 'long.mjs, save', 'long.mjs, lose');
  expect((await project.run('long', '--detach').ended).stderr).toContain('submitting it again');
  await endByTime(project, '103');
  expect((await project.run('long', '--detach').ended).stderr).toContain('it saved nothing');
});

test.concurrent('how often a stage goes on is counted over the jobs that took the place of one another, and anew for those after a failure', async ({
  onTestFinished,
}) => {
  const project = await createTimedOut(onTestFinished, 'twice', 'continuations: 1\n');
  await project.run('--detach').ended;
  await endByTime(project, '103');
  const { stderr, exitCode } = await project.run().ended;
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('as often as allowed (1)')]);
  expect((await project.run().ended).stderr).toContain('2 run');
  expect(project.count('long')).toBe(3);
});

/** With a job that goes on, of a stage that is up to date. */
async function createForced(onTestFinished: TestContext['onTestFinished']): Promise<StandInSlurm> {
  const stages = '  slow: { cmd: [node, tool.mjs, wait], outputs: [artifacts/slow] }\n';
  const project = await StandInSlurm.with(onTestFinished, stages);
  await project.write('go', '');
  await project.run().ended;
  await project.remove('go');
  await project.run('--force', 'slow', '--detach').ended;
  await project.until(() => project.count('slow') === 2);
  return project;
}

test.concurrent('a job that was to run in any case is followed by the next run', async ({
  onTestFinished,
}) => {
  const project = await createForced(onTestFinished);
  const running = project.run();
  await running.says(/> slow/);
  await project.write('go', '');
  expect((await running.ended).stderr).toContain('1 run');
  expect([project.jobs.length, project.count('slow')]).toEqual([2, 2]);
  expect(project.has('artifacts/.cache/jobs')).toBe(false);
});

test.concurrent('a job that was to run in any case is followed by attach', async ({ onTestFinished }) => {
  const project = await createForced(onTestFinished);
  const attached = project.call(['attach']);
  await project.write('go', '');
  expect((await attached).stderr).toContain('1 run');
  expect([project.jobs.length, project.count('slow')]).toEqual([2, 2]);
});
