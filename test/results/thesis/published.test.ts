import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isObject } from '../../../src/base/files/shape.ts';
import { networkDefaults } from '../../../src/network/network-config.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import type { DatasetFacts } from '../../../src/results/dataset-facts.ts';
import {
  CONVERTED_RECORDINGS,
  fangSettings,
  publishedSettings,
  THESIS_MODELS,
} from '../../../src/results/thesis/published.ts';
import { resolveModel } from '../../../src/training/resolve-model.ts';
import { CIFAR10_DVS, NMNIST } from '../../support/datasets.ts';

const folder = path.resolve(import.meta.dirname, '../../../configs/models');
const ids = ['baseline', 'no-reg', 'lambda-0.01', 'lambda-0.1'];

async function readModelFile(id: string) {
  return parse(await readFile(path.join(folder, `${id}.yaml`), 'utf8'));
}

/** `{ tau: { per: 'layer' } }` as `{ 'tau.per': 'layer' }`. */
function flatten(value: unknown, at = ''): Record<string, unknown> {
  if (!isObject(value)) return { [at]: value };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, one]) => flatten(one, at === '' ? key : `${at}.${key}`)),
  );
}

describe('the settings of the thesis', () => {
  it('are those of its four models', async () => {
    const names = await Promise.all(ids.map(async (id) => (await readModelFile(id)).published.name));
    expect([...THESIS_MODELS.keys()]).toEqual(names);
  });

  it.each(ids)('equal the committed configuration of %s', async (id) => {
    const file = await readModelFile(id);
    const { network, loss, train } = THESIS_MODELS.get(file.published.name)!;
    // The files leave these four to the network's defaults.
    const { hidden, votes, dropout, threshold, ...written } = network;
    expect(written).toEqual(flatten(file.network));
    expect({ votes, dropout, threshold }).toEqual(networkDefaults);
    const spec = buildNetwork({ input: [2, 128, 128], classes: 11, ...resolveModel(file, {}, id).network });
    const widths = spec.layers.flatMap((layer) => (layer.kind === 'linear' ? [layer.outFeatures] : []));
    expect(widths).toEqual([hidden, 110]);
    expect(loss).toEqual(file.loss);
    expect(train).toEqual({ testEvery: 1, tauRate: 1, frameOrder: 'recorded', ...file.train });
  });
});

describe('the settings of Fang et al. 2021', () => {
  it('have ten time steps on N-MNIST for accuracy A, and twenty for accuracy B', () => {
    const stepsOf = (facts: DatasetFacts, isValidated: boolean) =>
      fangSettings(facts, { neuron: 'plif', tau: 2, pooling: 'max' }, 1000, isValidated).frames.steps;
    expect([stepsOf(NMNIST, false), stepsOf(NMNIST, true)]).toEqual([10, 20]);
    expect([stepsOf(CIFAR10_DVS, false), stepsOf(CIFAR10_DVS, true)]).toEqual([20, 20]);
  });

  it('have the clips of the recordings that the converter reaches with 26, 39 or 78 workers', () => {
    const reached = (workers: number) => workers * Math.floor(98 / workers);
    const workersFor = (recordings: number) =>
      Array.from({ length: 98 }, (_, index) => index + 1).filter(
        (workers) => reached(workers) === recordings,
      );
    expect(workersFor(CONVERTED_RECORDINGS)).toEqual([11, 22, 44, 88]);
    expect(workersFor(78)).toEqual([26, 39, 78]);
    const published = { source: 'fang', name: 'LIF with τ = 2', test: 0.9688, validation: null } as const;
    expect(publishedSettings({ published }).clips).toEqual({ train: 12 * 78, validation: 0, test: 288 });
    expect(Math.floor((12 * 78) / 16)).toBe(58);
  });
});
