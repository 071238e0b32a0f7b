import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stage } from './slurm-project.ts';
import { StandInSlurm } from './stand-in-slurm.ts';

const folder = 'artifacts/.cache/jobs';

const local = (name: string, what = 'write'): string => stage(name, what, ', executor: local');

const after = (name: string): string => `, inputs: [artifacts/${name}]`;

test.concurrent('a submission whose answer is lost is waited for, and is the only one', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(
    onTestFinished,
    stage('slow') + stage('next', 'write', after('slow')),
  );
  await project.tell('loses');
  const running = project.run();
  await running.says(/Slurm does not answer .*submitting again/);
  for (const what of ['loses', 'down']) await project.untell(what);
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
  await project.expectJobs(['101 COMPLETED', '102 COMPLETED']);
  expect([project.count('slow'), project.has(folder)]).toEqual([1, false]);
});

test.concurrent('a run that is interrupted while nobody knows of a job leaves it to the next, which finds it', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, stage('slow', 'wait'));
  await project.tell('loses');
  const running = project.run();
  await running.says(/Slurm does not answer/);
  running.interrupt();
  const left = await running.ended;
  expect([left.exitCode, left.stderr]).toEqual([
    130,
    expect.stringContaining('1 job continues on the cluster'),
  ]);
  for (const what of ['loses', 'down']) await project.untell(what);
  const again = project.run();
  await project.until(() => project.count('slow') === 1);
  await project.write('go', '');
  expect((await again.ended).stderr).toContain('1 run');
  await project.expectJobs(['101 COMPLETED']);
  expect(project.has(folder)).toBe(false);
});

test.concurrent('a controller that is away when a stage of this machine has ended is waited for', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(
    onTestFinished,
    local('early', 'wait') + stage('late', 'write', after('early')),
  );
  const running = project.run();
  await project.until(() => project.count('early') === 1);
  await project.tell('down');
  await project.write('go', '');
  await running.says(/late .*Slurm does not answer/);
  await project.untell('down');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
  expect(project.jobs).toHaveLength(1);
});

test.concurrent('a submission that is refused is a failure of its stage; what runs here goes on, and holds the folder', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(
    onTestFinished,
    local('here', 'wait') + local('early') + stage('late', 'write', after('early')),
  );
  await project.tell('refuses', 'late');
  const running = project.run('--jobs', '2');
  await running.says(/late +failed/);
  const second = await project.call(['run', 'here']);
  expect([second.exitCode, second.stderr]).toEqual([75, expect.stringContaining('another run holds this')]);
  await project.write('go', '');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('2 run, 1 failed')]);
  expect(stderr).toContain('sbatch: Batch job submission failed: Invalid qos specification');
  expect(project.count('here')).toBe(1);
});

test.concurrent('a run that has lost the folder submits and removes nothing more', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(
    onTestFinished,
    stage('slow', 'wait') + stage('next', 'write', after('slow')),
  );
  const running = project.run();
  await project.until(() => project.count('slow') === 1);
  await project.remove('artifacts/.cache/lock');
  await project.write('go', '');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('no longer holds the folder')]);
  expect([project.askedTimes, project.cancelled]).toEqual([1, '']);
  expect(readdirSync(project.at(folder, 'stages'))).toEqual(['slow']);
  // The next takes in what has ended.
  expect((await project.run().ended).stderr).toContain('2 run');
  expect(project.count('slow')).toBe(1);
});

test.concurrent('more jobs than may be submitted wait until they may, beside the rest of the run', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, stage('slow') + local('here'));
  await project.tell('full');
  const running = project.run();
  await project.until(() => project.has('artifacts/here') && project.askedTimes > 2);
  await project.untell('full');
  const { stderr } = await running.ended;
  expect(stderr).toContain('2 run');
  expect(stderr.match(/you have reached your limit of submitted jobs/g)).toHaveLength(1);
});

test.concurrent('a run ends at a signal although instances wait for a place, and the next keeps to the limit', async ({
  onTestFinished,
}) => {
  const matrix = '  many:\n    matrix: { n: [1, 2, 3] }\n';
  const stages = `${matrix}    cmd: [node, tool.mjs, wait]\n    outputs: ["artifacts/many/\${n}"]\n`;
  const project = await StandInSlurm.with(onTestFinished, stages);
  const settings = 'poll: 0.3s\npatience: 2s\nstages: { many: { arrayLimit: 1 } }\n';
  await project.write('configs/executors/slurm.yaml', settings);
  const running = project.run();
  await project.until(() => project.jobs.join() === '101 RUNNING');
  running.interrupt();
  const { exitCode, stderr } = await running.ended;
  expect([exitCode, stderr]).toEqual([130, expect.stringContaining('1 job continues on the cluster')]);
  expect(project.jobs).toEqual(['101 RUNNING']);
  await project.write('go', '');
  expect((await project.run().ended).stderr).toContain('3 run');
  await project.expectJobs(['101 COMPLETED', '102 COMPLETED', '103 COMPLETED']);
});

test.concurrent('the own limit of a stage ends it in a job, but for one that goes on in another: the time of the job is what limits that', async ({
  onTestFinished,
}) => {
  const wait = 'setTimeout(() => require("fs").mkdirSync(process.env.REPRO_OUTPUT_0), 1500)';
  const timed = (name: string, more: string): string =>
    `  ${name}: { cmd: [node, -e, '${wait}'], outputs: [artifacts/${name}], resources: { time: 1s }${more} }\n`;
  const stages = timed('short', '') + timed('resumed', ', resume: [artifacts/resumed.resume]');
  const project = await StandInSlurm.with(onTestFinished, stages);
  const { stderr } = await project.run().ended;
  expect(stderr).toContain('1 run, 1 failed');
  expect(stderr).toMatch(/short failed: .*it ran longer than its limit of 1 s/);
});

test.concurrent('damaged data of a job stops what would work beside it, and says how to mend it', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, stage('slow', 'wait'));
  await project.write(`${folder}/stages/slow/job.json`, '{"version":1,');
  for (const words of [['run'], ['run', '--executor', 'slurm'], ['cancel'], ['gc']]) {
    const { exitCode, stderr } = await project.call(words);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/job data cannot be read[\s\S]*then remove artifacts\/\.cache\/jobs/);
  }
  const status = await project.call(['status']);
  expect([status.exitCode, status.stderr]).toEqual([0, expect.stringContaining('job data cannot be read')]);
});

test.concurrent('a job that Slurm calls failed is one whose report may still appear, to the run and to status, until the time for that is over, also for the next run', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, stage('killed', 'kill-job'));
  await project.write('configs/executors/slurm.yaml', 'poll: 0.3s\npatience: 1000s\n');
  const running = project.run();
  await running.says(
    /killed +job 101 on node1 has ended as FAILED; its report may take up to 1000 s to appear/,
  );
  const status = async () => (await project.call(['status'])).stdout;
  expect(await status()).toMatch(
    /job 101 has ended as FAILED \(NonZeroExitCode\); its report may still appear$/m,
  );
  const { instances } = await project.json(['status']);
  expect(instances[0].job).toMatchObject({ outcome: 'unreported', failure: null });
  running.interrupt();
  expect((await running.ended).exitCode).toBe(130);
  const [over = ''] = readdirSync(project.at(folder, 'stages/killed')).filter((name) => /^over/.test(name));
  await project.write(`${folder}/stages/killed/${over}`, '{"untilMs":1}');
  const failure = 'job 101 on node1 ended as FAILED (NonZeroExitCode) before the stage could report why';
  expect(await status()).toContain(`${failure}; \`./repro attach\` records it`);
  const { exitCode, stderr } = await project.call(['attach']);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`killed failed: ${failure}`)]);
});

test.concurrent('without Slurm the first call says so', async ({ onTestFinished }) => {
  const project = await StandInSlurm.with(onTestFinished, stage('slow'));
  const { exitCode, stderr } = await project.call(['run', '--executor', 'slurm'], { PATH: '/usr/sbin/none' });
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("is not a program on this machine's PATH")]);
  await project.tell('down');
  const down = await project.run().ended;
  expect([down.exitCode, down.stderr]).toEqual([1, expect.stringContaining('controller does not answer')]);
});
