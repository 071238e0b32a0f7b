import { describe, expect, test } from 'vitest';
import { noAccounts, startAccounts } from './accounts.ts';
import { describeCancelling } from './cancelling.ts';
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
  describeQuickProfile();
  describeAlone();
});

const noAccountsHere = noAccounts === null ? '' : ` (skipped: ${noAccounts})`;

describe.skipIf(noAccounts !== null)(`a cluster that keeps accounts${noAccountsHere}`, () => {
  // The queue forgets jobs as soon as it can.
  useCluster(async (folder, add) => [...(await startAccounts(folder, add)), 'MinJobAge=2']);

  test('is asked about jobs that the queue has forgotten', async () => {
    const stages = '  killed: { cmd: [node, tool.mjs, kill-job], outputs: [artifacts/killed] }\n';
    const project = await SlurmProject.on(cluster(), stages);
    await project.run('--detach');
    await project.waitForCount('killed');
    await cluster().expectJobs('killed', []);
    const { stderr, exitCode } = await project.call(['attach']);
    expect(stderr).toMatch(/killed failed: job \d+ on \S+ ended as FAILED before the stage could say why/);
    expect(exitCode).toBe(1);
  });
});
