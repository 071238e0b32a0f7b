import { expect, test } from 'vitest';
import { StandInSlurm } from './stand-in-slurm.ts';

/** Of each profile, another model is trained. */
const pipeline = `  train:
    matrix: { model: "\${models}" }
    cmd: [node, tool.mjs, wait, "\${title}"]
    outputs: ["artifacts/train/\${model}"]
  bad: { cmd: [node, tool.mjs, fail], outputs: [artifacts/bad] }
  last: { cmd: [node, tool.mjs], inputs: [artifacts/train], outputs: [artifacts/last], executor: local }
profiles: { folder: configs/profiles, default: quick }
`;

test.concurrent('a second attach says what can be done while another terminal watches', async ({
  onTestFinished,
}) => {
  const stages = '  slow: { cmd: [node, tool.mjs, wait], outputs: [artifacts/slow] }\n';
  const project = await StandInSlurm.with(onTestFinished, stages);
  const running = project.run();
  await running.says(/> slow/);
  for (const words of [['attach'], ['run', '--executor', 'slurm']]) {
    const { stderr, exitCode } = await project.call(words);
    expect(stderr).toMatch(/another run holds this folder: process \d+/);
    expect(stderr).toContain('One terminal watches the jobs of a project; `./repro status` shows them');
    expect(exitCode).toBe(75);
  }
  await project.write('go', '');
  expect((await running.ended).exitCode).toBe(0);
});

test.concurrent('status without options is of the run on the cluster, with the failures of its jobs; with others, those jobs are still listed', async ({
  onTestFinished,
}) => {
  const project = await StandInSlurm.with(onTestFinished, pipeline);
  await project.write('configs/profiles/quick.yaml', 'models: [small]\ntitle: t\n');
  await project.write('configs/profiles/full.yaml', 'models: [large]\ntitle: t\n');
  const left = await project.run('--profile', 'full', '--set', 'title=x y', '--detach').ended;
  expect([left.exitCode, left.stderr]).toEqual([0, expect.stringContaining('2 queued')]);
  await project.until(() => project.jobs.join() === '101 RUNNING,102 FAILED');
  await project.until(() => project.count('train-large') === 1);

  const own = await project.call(['status']);
  expect(own.stdout.split('\n').map((line) => line.replace(/[\d.]+ s$/, '0 s'))).toEqual([
    "showing the cluster run in progress: --profile full --set 'title=x y'",
    'train@large  running     job 101 runs on node1 for 0 s',
    '                         log: artifacts/.cache/logs/train@large.log (./repro logs train@large)',
    'bad          failed      job 102 failed: "node" exited with code 3; `./repro attach` records it',
    '                         log: artifacts/.cache/logs/bad.log (./repro logs bad)',
    'last         never run   has not run yet',
  ]);
  const { submitted, instances } = await project.json(['status']);
  expect(submitted).toEqual({ profile: 'full', set: ['title=x y'] });
  expect(instances[1].job.verdict).toEqual({
    kind: 'failed',
    code: 'command-failed',
    text: '"node" exited with code 3',
  });

  const full = await project.call(['status', '--profile', 'full']);
  expect(full.stdout).toMatch(
    /^train@large {2}running +job 101 runs .* \(of --profile full --set 'title=x y'\)$/m,
  );
  const quick = await project.call(['status', '--profile', 'quick']);
  expect(quick.stdout).toMatch(/^train@small {2}never run/);
  expect(quick.stdout).toMatch(/^train@large {2}other run +job 101 runs .* \(of --profile full/m);
  expect(
    (await project.json(['status', '--profile', 'quick'])).otherJobs.map(({ id }: { id: string }) => id),
  ).toEqual(['train@large']);

  await project.write('go', '');
  await project.until(() => project.jobs[0] === '101 COMPLETED');
  const attached = await project.call(['attach']);
  expect(attached.exitCode).toBe(1);
  // It has been made by this run, while nobody watched.
  expect(attached.stderr).toMatch(/^\+ train@large {2}done in [\d.]+ s \(job 101\)$/m);
  expect(attached.stderr).toMatch(/^2 run, 1 failed in/m);
  // Nothing is under way any more.
  expect((await project.call(['status'])).stdout).toMatch(/^train@small/);
});
