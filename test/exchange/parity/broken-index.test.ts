import { describe, expect, it } from 'vitest';
import { copyGolden, describeCase, expectFailures, listFailures, runFolder } from './case-folders.ts';

describe('an invalid description', () => {
  const changes: readonly [string, string, unknown, string][] = [
    ['plif_00', 'kind', 'synapse', 'unknown kind "synapse"; expected one of neuron, network, frames'],
    ['plif_00', 'kind', undefined, 'its description has no kind'],
    ['plif_00', 'refractory', 2, 'field "cases.plif_00.refractory" is unknown'],
    ['plif_00', 'surrogate', 'arctan', 'expected "atan" or "sigmoid" or "triangle", found "arctan"'],
    ['plif_00', 'v_reset', undefined, 'field "cases.plif_00.v_reset" is missing'],
    ['plif_00', 'alpha', 'NaN', 'field "cases.plif_00.alpha": expected a number, found "NaN"'],
    ['net_layer_tau', 'losses', [0.3, null, 0.3], 'field "cases.net_layer_tau.losses[1]": expected a number'],
    ['net_layer_tau', 'batch', 5, 'tensor "x" has shape [3, 4, 4, 2, 16, 16], expected [3, 5, 4, 2, 16, 16]'],
    ['rng', 'seed', -1, 'expected a whole number from 0'],
    [
      'frames_time_max_4',
      'height',
      1e9,
      'tensor "frames" has shape [4, 2, 16, 16], expected [4, 2, 1000000000, 16]',
    ],
  ];
  it.each(changes)('%s with %s: %j', async (name, key, value, reason) => {
    const folder = copyGolden(name);
    describeCase(folder, name)[key] = value;
    const [failure, ...others] = listFailures(await runFolder(folder));
    expect(failure).toContain(`${name}: the case: `);
    expect(failure).toContain(reason);
    expect(others).toEqual([]);
  });

  it('does not prevent other cases from running', async () => {
    const folder = copyGolden('plif_00', 'plif_01', 'lif_00');
    folder.index.cases.plif_00 = 'nothing';
    folder.index.cases.plif_01 = { kind: 'toString' };
    const outcomes = await runFolder(folder);
    expect(outcomes.map(({ name, passed }) => [name, passed])).toEqual([
      ['plif_00', false],
      ['plif_01', false],
      ['lif_00', true],
    ]);
  });
});

describe('an index', () => {
  it('without cases fails', async () => {
    await expectFailures(
      { index: { cases: {} }, files: new Map() },
      'index.json: the list of cases: is empty',
    );
  });

  it('with an unknown key fails', async () => {
    const folder = copyGolden('lif_00');
    folder.index.cosine_lr_T_max_2 = [1, 0.5, 0, 0.5];
    folder.index.cosine_lr_T_max_3 = [1, 0.5, 0, 0.5];
    folder.index.step_lr = [1, 1, 0.1];
    folder.index.dvs128_initial_parameters = { seed: 1, layer_tau: {} };
    await expectFailures(
      folder,
      'cosine_lr_T_max_3: learning rates: cosine_lr_T_max_3[3] expected 0.5, found 0',
      'step_lr: the key: unknown key in index.json; expected "cases" or one of cosine_lr_T_max_<n>, dvs',
      'dvs128_initial_parameters: layer_tau: "conv.0.weight" is missing from the folder',
    );
  });

  it('that is not JSON, or has no cases at all, fails', async () => {
    const read = async (text: string) => {
      const folder = { files: ['index.json'], read: async () => new TextEncoder().encode(text) };
      return listFailures(await runFolder(folder));
    };
    expect(await read('{"cases": ')).toEqual([expect.stringContaining('index.json is not JSON')]);
    expect(await read('[]')).toEqual([expect.stringContaining('index.json has no "cases"')]);
  });
});
