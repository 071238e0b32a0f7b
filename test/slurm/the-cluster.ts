import { afterAll, beforeAll } from 'vitest';
import { type Prepare, SlurmCluster, startedWithinMs } from './slurm-cluster.ts';

let running: SlurmCluster | null = null;

/** Starts a cluster before the tests of a suite, and stops it after them, however they end. */
export function useCluster(prepare?: Prepare): void {
  beforeAll(async () => {
    running = await SlurmCluster.start(prepare);
  }, startedWithinMs);
  afterAll(async () => {
    await running?.stop();
    running = null;
  });
}

/** The cluster of the suite that runs. */
export function cluster(): SlurmCluster {
  if (running === null) throw new Error('no cluster was started');
  return running;
}
