import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliProject } from '../../../runner/rig/cli-project.ts';
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
      // Probes get as few variables as stages; with this one, the device opened here would be another.
      { REPRO_GPU: process.env.REPRO_GPU, LP_NATIVE_VECTOR_WIDTH: undefined },
    );

  test('refuses what is beyond any buffer of the GPU, which more memory would not help', async () => {
    // The first linear layer alone has 65,536 x 16,384 weights, which are 4.3 GB; no buffer is larger than 2 GiB.
    const { stderr, exitCode } = await plan('train.network.channels=4096');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^"parameters" needs a buffer of [\d.]+ GB; this GPU binds at most [\d.]+ [MG]B at once\.\n {2}Use smaller frames/m,
    );
  });
});
