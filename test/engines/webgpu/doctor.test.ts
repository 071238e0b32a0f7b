import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProject } from '../../runner/rig/cli-project.ts';
import { hasDevice } from './support.ts';

describe.skipIf(!hasDevice)('doctor --plan on a GPU', () => {
  let project: CliProject;
  beforeAll(async () => {
    project = await CliProject.copyConfiguration();
  });
  afterAll(() => project.remove('.'));
  const plan = (...settings: string[]) =>
    project.call(
      [
        ...['doctor', '--plan', 'baseline', '--profile', 'full'],
        ...['train.engine=webgpu', ...settings].flatMap((one) => ['--set', one]),
      ],
      { REPRO_GPU: process.env.REPRO_GPU },
    );

  test('tells what each kernel does in a step, and all of them', async () => {
    const { stdout, exitCode } = await plan();
    expect(exitCode).toBe(0);
    const counts = [...stdout.matchAll(/^kernel .*: (\d+) dispatch(?:es)?, /gm)].map(([, count]) =>
      Number(count),
    );
    const all = counts.reduce((sum, count) => sum + count, 0);
    expect(stdout).toMatch(
      new RegExp(`^all kernels +a training step: ${all} dispatches, [\\d.]+ GFLOP, `, 'm'),
    );
  });

  test('refuses what is beyond any buffer of the GPU, which more memory would not help', async () => {
    // The first linear layer alone has 65,536 x 16,384 weights, which are 4.3 GB; no buffer is larger than 2 GiB.
    const { stderr, exitCode } = await plan('train.network.channels=4096');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^"parameters" needs a buffer of [\d.]+ GB; this GPU binds at most [\d.]+ [MG]B at once\.\n {2}Use smaller frames/m,
    );
  });
});
