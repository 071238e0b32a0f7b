import { beforeAll, describe, expect, it } from 'vitest';
import { type CaseOutcome, listCases } from '../../../src/exchange/parity/suite.ts';
import { createCpuEngine } from '../../../src/network/engines/tfjs/engine.ts';
import { listFailures, runFolder } from './case-folders.ts';
import { goldenFolders, kindsOf, listComputed, openGolden } from './golden-folders.ts';

/** The outcomes of each folder, computed once, with WebAssembly. */
const outcomes = new Map<string, CaseOutcome[]>();
beforeAll(async () => {
  for (const name of goldenFolders) outcomes.set(name, await runFolder(await openGolden(name)));
}, 240_000);

it.each(goldenFolders)('test/%s passes in every case', async (name) => {
  const folder = await openGolden(name);
  expect(listFailures(outcomes.get(name)!)).toEqual([]);
  expect(outcomes.get(name)!.map((outcome) => outcome.name)).toEqual(await listCases(folder));
});

it.each(goldenFolders)('test/%s passes in every case that TensorFlow.js computes', async (name) => {
  const folder = await openGolden(name);
  const computed = await listComputed(folder);
  const found = await runFolder(folder, computed, createCpuEngine('test'));
  expect(listFailures(found)).toEqual([]);
  expect(found.map((outcome) => outcome.name)).toEqual(computed);
});

it('the folders have every kind of case', async () => {
  const count = async (name: (typeof goldenFolders)[number]) => {
    const kinds = [...(await kindsOf(await openGolden(name))).values()];
    return Object.fromEntries(kinds.map((kind) => [kind, kinds.filter((one) => one === kind).length]));
  };
  expect(await count('golden')).toEqual({
    neuron: 17,
    frames: 18,
    aedat: 1,
    segments: 1,
    network: 6,
    rng: 1,
    data_order: 1,
  });
  expect(await count('golden/torch')).toEqual({ network: 20, neuron: 12, ties: 1 });
});

describe('a comparison', () => {
  const compared = (name: string, folder: (typeof goldenFolders)[number] = 'golden') =>
    outcomes
      .get(folder)!
      .find((outcome) => outcome.name === name)!
      .comparisons.map(
        ({ what, values, worst }) => `${what}: ${values}${worst?.tolerance === 0 ? ' exact' : ''}`,
      );

  it('of a neuron case has spikes, potentials and every gradient', () => {
    expect(compared('plif_15')).toEqual([
      'spikes: 720 exact',
      'v_after: 720',
      'grad_x: 720',
      'grad_w: 60',
      'grad_alpha: 1',
    ]);
    expect(compared('lif_00')).toEqual(['spikes: 720 exact', 'grad_x: 720']);
  });

  it('of a network case has every tensor of every step', () => {
    expect(compared('net_layer_tau')).toEqual([
      'rates, step 0: 12',
      'gradients, step 0: 3484',
      ...[0, 1, 2].flatMap((step) => [
        ...(step === 0 ? [] : [`rates, step ${step}: 12`]),
        `parameters, step ${step}: 3484`,
        `statistics, step ${step}: 26`,
      ]),
      'losses: 3',
      // Its outputs do not spike in evaluation, and a tolerance of 0 is 0.
      'rates, evaluation: 12 exact',
    ]);
  });

  it('of recordings, orders and initial parameters has every number', () => {
    expect(compared('aedat_events')).toEqual([
      'events: 1 exact',
      't: 300 exact',
      'x: 300 exact',
      'y: 300 exact',
      'p: 300 exact',
    ]);
    expect(compared('data_order')).toEqual(['train order: 144 exact', 'val order: 48 exact']);
    expect(compared('dvs128_initial_parameters')).toEqual([
      'layer_tau: 1698311 exact',
      'neuron_tau: 1698304 exact',
      // All of them, as their sha256 is PyTorch's.
      'neuron_tau, w: 2794094',
    ]);
    expect(compared('initial_parameters', 'golden/torch')).toEqual(
      expect.arrayContaining([
        'mnist, neuron_tau, w: 127588',
        // Without any spread, w is the same everywhere, and takes nothing from the stream.
        'small, neuron_tau_std_0: 3062 exact',
        // Weights drawn after the variation of 1,000 images.
        'mnist_augmented, layer_tau: 4936 exact',
        'cifar10_augmented, layer_tau: 6580 exact',
      ]),
    );
  });
});
