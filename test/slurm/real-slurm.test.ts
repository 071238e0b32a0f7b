import { describe, expect, test, vi } from 'vitest';
import { noAccounts, startAccounts } from './accounts.ts';
import { describeContinuations } from './continuations.ts';
import { describeDetaching } from './detaching.ts';
import { describeNodes } from './nodes.ts';
import { describeQuickProfile } from './quick-profile.ts';
import { describeRuns } from './runs.ts';
import { cluster, noSlurm, useCluster } from './slurm-cluster.ts';
import { SlurmProject } from './slurm-project.ts';
import { describeAlone, describeTroubles } from './troubles.ts';

const why = noSlurm === null ? '' : ` (skipped: ${noSlurm})`;

// All wait for processes, and most for the same few cores.
vi.setConfig({ testTimeout: 180_000, maxConcurrency: 8 });

// One file, since there can be only one cluster at a time.
describe.skipIf(noSlurm !== null)(`a run on Slurm${why}`, () => {
  useCluster();
  // First the longest: Slurm's time limits count whole minutes.
  describeContinuations();
  describeQuickProfile();
  describeRuns();
  describeDetaching();
  describeTroubles();
  describeNodes();
  describeAlone();
});

const noAccountsHere = noAccounts === null ? '' : ` (skipped: ${noAccounts})`;

describe.skipIf(noAccounts !== null)(`a cluster that keeps accounts${noAccountsHere}`, () => {
  // The queue forgets jobs as soon as it can.
  useCluster(async (folder, add) => [...(await startAccounts(folder, add)), 'MinJobAge=2']);

  test('is asked about jobs that the queue has forgotten', async () => {
    const stages = '  killed: { cmd: [node, tool.mjs, kill-job], outputs: [artifacts/killed] }\n';
    const project = await SlurmProject.on(cluster(), stages);
    const running = project.run();
    await project.waitForCount('killed');
    running.kill('SIGKILL');
    await running;
    await cluster().expectJobs('killed', []);
    const { stderr, exitCode } = await project.call(['attach']);
    expect(stderr).toMatch(
      /killed failed: job \d+ on \S+ ended as FAILED \(RaisedSignal:9\) before the stage could report why/,
    );
    expect(exitCode).toBe(1);
  });
});
