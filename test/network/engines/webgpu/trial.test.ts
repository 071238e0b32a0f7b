import { cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tryEngine } from '../../../../src/app/project/engine-trial.ts';
import type { Tensor } from '../../../../src/formats/tensor.ts';
import { buildNetwork } from '../../../../src/network/networks.ts';
import { CliProject, repository } from '../../../runner/rig/cli-project.ts';
import { smallNetwork } from '../../../training/small-task.ts';
import { engineOn, hasDevice, openDevice } from './support.ts';

/** A network that Mesa's device trains in seconds. */
const small = {
  ...{
    models: '[baseline]',
    seeds: '[2020, 2021]',
    'frames.steps': 4,
    'frames.downsample': 8,
    'simulate.trainUsers': 3,
  },
  ...{
    'simulate.testUsers': 1,
    'simulate.lights': '[led]',
    'train.batchSize': 8,
    'train.validationShare': 0,
  },
  'train.network': '{channels: 4, layers: 1, hidden: 8}',
};

describe.skipIf(!hasDevice)('a trial of a device', () => {
  const network = {
    spec: buildNetwork({ ...smallNetwork, hidden: [8, 6] }),
    ...{ steps: 2, samples: 3, atOnce: 2, threads: 1, golden: path.join(repository, 'test/golden') },
  };

  test('finds it right, with the gradient of the CPU', async () => {
    const [cpu, gpu] = [await tryEngine('wasm', network), await tryEngine('webgpu', network)];
    expect(gpu).toMatchObject({ isRight: true, problem: null });
    expect((gpu.speed?.gradient ?? 0) / (cpu.speed?.gradient ?? 1)).toBeCloseTo(1, 5);
  });

  test('finds out that it was made wrong on purpose', async () => {
    // As if it multiplied with fewer digits.
    const round = (value: number) => Math.fround(value * (1 + 2 ** -8));
    const answer = await tryEngine('webgpu', network, async () => {
      const engine = engineOn(openDevice());
      return {
        ...engine,
        open: (spec, state, ...more) => {
          const rounded = [...state].map(([name, tensor]) => {
            return [name, tensor.dtype === 'F32' ? { ...tensor, data: tensor.data.map(round) } : tensor];
          });
          return engine.open(spec, new Map(rounded as [string, Tensor][]), ...more);
        },
      };
    });
    expect(answer).toMatchObject({ isRight: false, speed: null });
    expect(answer.problem).toMatch(/differ from PyTorch's$/);
  });
});

describe.skipIf(!hasDevice)('`auto` on a machine with a GPU', () => {
  let project: CliProject;
  beforeAll(async () => {
    project = await CliProject.copyConfiguration();
    project.linkSources();
    for (const name of ['index.json', 'net_neuron_tau_reg.safetensors'])
      cpSync(path.join(repository, 'test/golden', name), project.at('test/golden', name));
  });
  afterAll(() => project.remove('.'));

  const call = (words: readonly string[], settings: object, REPRO_GPU = process.env.REPRO_GPU) =>
    project.call(
      [
        ...words,
        ...Object.entries({ ...small, ...settings }).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
      ],
      { REPRO_GPU },
    );

  test('is the engine of the CPU, as the software device is right and slower', async () => {
    const { stdout, exitCode } = await call(['doctor'], { 'train.epochs': 1e7 });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^engine +right\? +ms a clip +hours$/m);
    expect(stdout).toMatch(/^(native|wasm) .+ yes +[\d.]+ +`auto` takes it$/m);
    expect(stdout).toMatch(/^webgpu .+llvmpipe.+ yes +[\d.]+$/m);
  });

  test('trains on the GPU where that was faster, and evaluates on the CPU', async () => {
    const files = readdirSync(project.at('artifacts/.cache/engines')).map(
      (name) => `artifacts/.cache/engines/${name}`,
    );
    const file = files.find((one) => !project.read(one).includes('webgpu')) ?? '';
    const { key, found } = JSON.parse(project.read(file));
    const speed = { ...found.speed, training: 1e3 };
    await project.write(file, JSON.stringify({ key, found: { ...found, speed } }));
    const { stderr, exitCode } = await call(['run', 'evaluate', '--jobs', '2'], { 'train.epochs': 1 });
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('on gpu: tried here and right')]);
    // One after the other.
    expect(stderr).toMatch(/^\+ train@baseline,20(20|21) [\s\S]+^> train@baseline,20(?!\1)/m);
    const { engine } = JSON.parse(project.read('artifacts/train/baseline/2020/run.json'));
    expect(engine).toMatchObject({ name: 'webgpu', version: expect.stringContaining('llvmpipe') });
    expect(stderr).toMatch(/evaluate@baseline,2020 .*(native|wasm) /);
    expect((await call(['status', 'evaluate', '--exit-code'], { 'train.epochs': 1 })).exitCode).toBe(0);
    // Without the GPU, it is another engine.
    expect((await call(['status', 'evaluate', '--exit-code'], { 'train.epochs': 1 }, '')).exitCode).toBe(3);
  });
});
