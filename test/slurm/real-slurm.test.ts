import { describe, expect, test } from 'vitest';
import { noAccounts, startAccounts } from './accounts.ts';
import { describeCancelling } from './cancelling.ts';
import { describeContinuations } from './continuations.ts';
import { describeFailingNode, describeNodes } from './nodes.ts';
import { describeQuickProfile } from './quick-profile.ts';
import { describeRuns } from './runs.ts';
import { noSlurm } from './slurm-cluster.ts';
import { SlurmProject } from './slurm-project.ts';
import { describeSubmissions } from './submissions.ts';
import { cluster, useCluster } from './the-cluster.ts';
import { describeAlone, describeTroubles } from './troubles.ts';

const why = noSlurm === null ? '' : ` (skipped: ${noSlurm})`;

// One file, since there can be only one cluster at a time.
describe.skipIf(noSlurm !== null)(`a run on Slurm${why}`, () => {
  useCluster();
  describeRuns();
  describeSubmissions();
  describeCancelling();
  describeTroubles();
  describeContinuations();
  describeNodes();
  describeQuickProfile();
  describeAlone();
  describeFailingNode();
});

const noAccountsHere = noAccounts === null ? '' : ` (skipped: ${noAccounts})`;

describe.skipIf(noAccounts !== null)(`a cluster that keeps accounts${noAccountsHere}`, () => {
  // The queue forgets jobs as soon as it can.
  useCluster(async (folder, add) => [...(await startAccounts(folder, add)), 'MinJobAge=2']);

  test.concurrent('is asked about jobs that the queue has forgotten', async () => {
    const stages = '  killed: { cmd: [node, tool.mjs, kill-job], outputs: [artifacts/killed] }\n';
    const project = await SlurmProject.on(cluster(), stages);
    await project.run('--detach');
    await project.waitForCount('killed');
    await cluster().expectJobs('killed', []);
    const { stderr, exitCode } = await project.call(['attach']);
    expect(stderr).toMatch(
      /killed failed: job \d+ on \S+ ended as FAILED \(RaisedSignal:9\) before the stage could report why/,
    );
    expect(exitCode).toBe(1);
  });

  test.concurrent('knows what was dropped because of a failure from what was cancelled', async () => {
    const stages = `  fails: { cmd: [node, tool.mjs, fail], outputs: [artifacts/fails] }
  killed: { cmd: [node, tool.mjs, kill-job], outputs: [artifacts/killed] }
  next: { cmd: [node, tool.mjs], inputs: [artifacts/fails], outputs: [artifacts/next] }
  last: { cmd: [node, tool.mjs], inputs: [artifacts/next], outputs: [artifacts/last] }
  other: { cmd: [node, tool.mjs], inputs: [artifacts/killed], outputs: [artifacts/other] }
`;
    const project = await SlurmProject.on(cluster(), stages);
    await project.run('--detach');
    for (const name of ['fails', 'killed']) await project.waitForCount(name);
    for (const name of ['fails', 'killed', 'next', 'last', 'other']) await cluster().expectJobs(name, []);
    const { instances } = JSON.parse((await project.call(['attach', '--json'])).stdout);
    expect(instances.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`)).toEqual([
      'fails failed',
      'killed failed',
      'next blocked',
      'last blocked',
      'other blocked',
    ]);
  });

  test.concurrent('lets a run submit again what Slurm has ended, once the queue has forgotten it', async () => {
    const stages = `  crashed: { cmd: [node, tool.mjs, kill-job], outputs: [artifacts/crashed] }
  behind: { cmd: [node, tool.mjs], inputs: [artifacts/crashed], outputs: [artifacts/behind] }
`;
    const project = await SlurmProject.on(cluster(), stages);
    await project.run('--detach');
    await project.waitForCount('crashed');
    for (const name of ['crashed', 'behind']) await cluster().expectJobs(name, []);
    await project.edit('tool.mjs', "=== 'kill-job'", "=== 'never'");
    const { stderr, exitCode } = await project.run();
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 run')]);
    expect(stderr).toMatch(/job \d+ on \S+ ended as FAILED .*; submitting it again/);
    expect(stderr).toMatch(/job \d+ never ran, because a job that it depends on failed/);
  });
});
