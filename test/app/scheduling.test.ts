import { describe, expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';

function createProject(stages: string): Promise<CliProject> {
  return CliProject.create({ 'pipeline.yaml': `version: 1\nstages:\n${stages}` });
}

const gpuStages = ['a', 'b', 'c']
  .map(
    (name) => `  ${name}:
    cmd: [sh, -c, 'echo "$CUDA_VISIBLE_DEVICES" > "$REPRO_OUTPUT_0"']
    outputs: [artifacts/${name}]
    resources: { gpu: ${name === 'c' ? 2 : 1}, memory: 1M }
`,
  )
  .join('');

describe('repro run', () => {
  test('gives stages the GPUs of --gpus, else those that its environment names', async () => {
    const project = await createProject(gpuStages);
    const shown = async (...words: string[]) => {
      const { exitCode, stderr } = await project.call(['run', '--force', ...words], {
        CUDA_VISIBLE_DEVICES: '6,7',
      });
      expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
      return ['a', 'b', 'c'].map((name) => project.read(`artifacts/${name}`).trim());
    };
    expect(await shown('--jobs', '1')).toEqual(['6', '6', '6,7']);
    expect(await shown('--jobs', '1', '--gpus', '3,1')).toEqual(['3', '3', '3,1']);
    expect((await project.call(['run', '--gpus', 'all'])).stderr).toContain(
      "option '--gpus <ids>' argument 'all' is invalid. expected different ids",
    );
  });

  test('runs a stage that asks for a GPU without one, with a warning, where there is none', async () => {
    const project = await createProject(gpuStages);
    const { exitCode, stderr } = await project.call(['run', 'a'], { CUDA_VISIBLE_DEVICES: '' });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('! a  asks for a GPU, but the runner found none, so it runs without any');
  });

  test('after a failure runs the rest, or with --fail-fast starts nothing more', async () => {
    const stages = `  bad:
    cmd: [sh, -c, 'exit 3']
    outputs: [artifacts/bad]
  good:
    cmd: [sh, -c, 'echo > "$REPRO_OUTPUT_0"']
    outputs: [artifacts/good]
`;
    const project = await createProject(stages);
    const stop = await project.call(['run', '--jobs', '1', '--fail-fast', '--json']);
    expect(stop.exitCode).toBe(1);
    expect(stop.stderr).toContain('1 failed, 1 not started');
    const { instances } = JSON.parse(stop.stdout) as { instances: { id: string; state: string }[] };
    expect(instances.map(({ id, state }) => `${id} ${state}`)).toEqual(['bad failed', 'good waiting']);

    const go = await project.call(['run', '--jobs', '1']);
    expect([go.exitCode, go.stderr]).toEqual([1, expect.stringContaining('1 run, 1 failed')]);
  });
});
