import { describe } from 'vitest';
import { describeRuns } from './runs.ts';
import { noSlurm } from './slurm-cluster.ts';
import { useCluster } from './the-cluster.ts';
import { describeTroubles } from './troubles.ts';

const why = noSlurm === null ? '' : ` (skipped: ${noSlurm})`;

// One file, since there can be only one cluster at a time.
describe.skipIf(noSlurm !== null)(`a run on Slurm${why}`, () => {
  useCluster();
  describeRuns();
  describeTroubles();
});
