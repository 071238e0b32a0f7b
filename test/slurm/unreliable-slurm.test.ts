import { expect, test } from 'vitest';
import { StandInSlurm } from './stand-in-slurm.ts';

const folder = 'artifacts/.cache/jobs';

const stage = (name: string, what = 'write', more = ''): string =>
  `  ${name}: { cmd: [node, tool.mjs, ${what}], outputs: [artifacts/${name}]${more} }\n`;

const local = (name: string, what = 'write'): string => stage(name, what, ', executor: local');

const after = (name: string): string => `, inputs: [artifacts/${name}]`;

const slow = stage('slow', 'wait', ', retries: 2');

/** The node of the only job fails, and nobody hears whether the next is submitted. */
async function loseNextAnswer(
  project: StandInSlurm,
  running: ReturnType<StandInSlurm['run']>,
): Promise<void> {
  await project.until(() => project.count('slow') === 1);
  await project.tell('holds');
  await project.tell('loses');
  await project.failNode('101');
  await running.says(/unknown whether this job was submitted/);
}

test.concurrent('a job that is submitted again while the controller falls silent is waited for, and is the only one', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, slow + stage('next', 'write', after('slow')));
  const running = project.run();
  await loseNextAnswer(project, running);
  for (const what of ['loses', 'down', 'holds']) await project.untell(what);
  await project.write('go', '');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
  expect(stderr.match(/slow.*unknown whether this job was submitted/g)).toHaveLength(1);
  await project.expectJobs(['101 NODE_FAIL', '102 CANCELLED', '103 COMPLETED', '104 COMPLETED']);
  expect(project.count('slow')).toBe(2);
  expect(project.has(folder)).toBe(false);
});

test.concurrent('a run that is interrupted while nobody knows of a job leaves it to the next, which finds it', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, slow);
  const running = project.run();
  await loseNextAnswer(project, running);
  running.interrupt();
  expect((await running.ended).exitCode).toBe(130);
  for (const what of ['loses', 'down', 'holds']) await project.untell(what);
  const again = project.run();
  await again.says(/> slow/);
  await project.write('go', '');
  expect((await again.ended).stderr).toContain('1 run');
  await project.expectJobs(['101 NODE_FAIL', '102 COMPLETED']);
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
  await project.until(() => project.has('artifacts/early'));
  await running.says(/late/);
  await project.untell('down');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
  expect(project.jobs).toHaveLength(1);
});

test.concurrent('a later submission that is refused is a failure of its stage; what runs here goes on, and holds the folder', async ({
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
  expect(stderr).toContain('stage "late"  you may not use this qos there');
  expect(project.count('here')).toBe(1);
});

test.concurrent('a run that has lost the folder submits, cancels and removes nothing more', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, slow + stage('other', 'wait'));
  const running = project.run();
  await project.until(() => project.count('slow') === 1 && project.count('other') === 1);
  await project.remove('artifacts/.cache/lock');
  await project.failNode('101');
  await running.says(/slow +failed/);
  await project.write('go', '');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('no longer holds the folder')]);
  expect([project.askedTimes, project.cancelled]).toEqual([2, '']);
  expect(project.has(folder)).toBe(true);
});

test.concurrent('more jobs than may be submitted wait until they may, beside the rest of the run', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, slow + stage('second') + local('here'));
  await project.tell('full');
  const running = project.run();
  await project.until(() => project.has('artifacts/here') && project.askedTimes > 2);
  await project.untell('full');
  await project.write('go', '');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('3 run')]);
  expect(stderr.match(/you have reached your limit of submitted jobs/g)).toHaveLength(1);
});

test.concurrent('a stage that was refused and told as failed is not submitted with the next', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(
    onTestFinished,
    slow + local('early', 'wait') + stage('late', 'write', after('early')),
  );
  const running = project.run();
  await project.until(() => project.count('slow') === 1 && project.count('early') === 1);
  await project.tell('refuses', 'slow');
  await project.failNode('101');
  await running.says(/slow +failed/);
  await project.untell('refuses');
  await project.write('go', '');
  expect((await running.ended).stderr).toContain('2 run, 1 failed');
  expect([project.askedTimes, project.count('slow')]).toEqual([3, 1]);
});

test.concurrent('what waits for a job that Slurm has forgotten is left out once, until that one is concluded', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(
    onTestFinished,
    stage('first', 'wait') +
      stage('behind', 'write', after('first')) +
      ['a', 'b'].map((name) => local(name) + stage(`after-${name}`, 'write', after(name))).join(''),
  );
  await project.tell('forgets');
  const running = project.run();
  await project.until(() => project.has('artifacts/after-a') && project.has('artifacts/after-b'));
  await project.write('go', '');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining('6 run')]);
  expect(stderr.match(/behind.*not submitted/g)).toHaveLength(1);
  // One was refused.
  expect([project.jobs.length, project.askedTimes]).toEqual([4, 5]);
});

test.concurrent('the limit of a stage holds where its instances are submitted one by one, each after a stage of this machine', async ({
  onTestFinished,
}) => {
  const matrix = 'matrix: { what: [write, wait] }';
  const project = await StandInSlurm.with(
    onTestFinished,
    `  early: { ${matrix}, executor: local, cmd: [node, tool.mjs, "\${what}"], outputs: ["artifacts/early/\${what}"] }
  late: { ${matrix}, cmd: [node, tool.mjs], inputs: ["artifacts/early/\${what}"], outputs: ["artifacts/late/\${what}"], resources: { arrayLimit: 1 } }
`,
  );
  await project.tell('holds');
  const running = project.run();
  await project.until(() => project.jobs.length === 1 && project.count('early-wait') === 1);
  await project.write('go', '');
  await project.until(() => project.jobs.length === 2);
  await project.untell('holds');
  expect((await running.ended).stderr).toContain('4 run');
  expect(project.scriptOf('102')).toMatch(/^#SBATCH --dependency=afterany:101$/m);
});

test.concurrent('cancel ends a run that waits until it may submit more', async ({ onTestFinished }) => {
  const project = await StandInSlurm.with(onTestFinished, slow);
  await project.tell('full');
  const running = project.run();
  await running.says(/you have reached your limit of submitted jobs/);
  expect((await project.call(['cancel'])).stdout).toBe('the run that is under way submits nothing more');
  const { stderr, exitCode } = await running.ended;
  expect([exitCode, stderr]).toEqual([130, expect.stringContaining('cancelled by `./repro cancel`')]);
  await project.untell('full');
  await project.write('go', '');
  expect((await project.run().ended).stderr).toContain('1 run');
});

test.concurrent.for([
  ['a stage of this machine fails', local('broken', 'fail')],
  ['a submission is refused', local('early') + stage('refused', 'write', after('early'))],
])(
  'with --fail-fast nothing that waits starts after %s; what runs is finished',
  async ([, stages], { onTestFinished }) => {
    const project = await StandInSlurm.with(
      onTestFinished,
      stages + slow + stage('later', 'write', after('slow')),
    );
    await project.tell('refuses', 'refused');
    await project.edit(
      'tool.mjs',
      "if (what === 'fail')",
      "while ((what === 'fail' || process.env.REPRO_ID === 'early') && !fs.existsSync('ready')) await new Promise((r) => setTimeout(r, 50));\nif (what === 'fail')",
    );
    const running = project.run('--fail-fast');
    await project.until(() => project.count('slow') === 1);
    await project.write('ready', '');
    await project.until(() => project.jobs.includes('102 CANCELLED'));
    await project.write('go', '');
    expect((await running.ended).exitCode).toBe(1);
    await project.expectJobs(['101 COMPLETED', '102 CANCELLED']);
  },
);
