import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DATASETS, findDataset } from '../../src/datasets/registry.ts';
import { parseFields } from '../../src/formats/fields.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { buildDescribed, networkShape } from '../../src/parity/network-description.ts';
import { readShape } from '../../src/results/shape.ts';
import type { RunRecord } from '../../src/runner/store/records.ts';
import { findLicence, readCitation } from '../../src/sharing/citation.ts';
import { type CardContent, formatModelCard, formatModelConfig } from '../../src/sharing/model-card.ts';
import type { NetworkSpec } from '../../src/snn/spec.ts';
import { exampleEvaluation, exampleRunFile } from '../results/examples.ts';
import { loadGolden } from '../support/golden.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';

/** The first Python that has PyTorch: Debian's own may be behind another on PATH. */
const python = ['python3', '/usr/bin/python3'].find(
  (one) => spawnSync(one, ['-c', 'import numpy, torch']).status === 0,
);

const citation = readCitation({
  title: 'A program',
  version: '1',
  license: 'MIT',
  'repository-code': 'https://example.org/plif',
  authors: [{ name: 'We' }],
});
const record = { fingerprint: 'ab12', node: '20.19.0', commit: 'c0ffee', dirty: true } as RunRecord;

/** What a card says of an invented training; `layers` takes the place of its network. */
function cardOf(over: { readonly simulated?: boolean; readonly layers?: NetworkSpec } = {}): CardContent {
  const { simulated = true, layers: spec = { input: [2, 8, 8], classes: 3, layers: [] } } = over;
  const [run, evaluation] = [exampleRunFile({ simulated }), exampleEvaluation({ simulated })];
  const trained = { run, spec, evaluation, epochs: new Array(1) };
  const dataset = findDataset('dvs128-gesture');
  return { trained, record, configuration: 'profile tiny', dataset, citation, weights: 'model.safetensors' };
}

describe('a model card', () => {
  test('has front matter that says what model hubs show, of simulated data too', () => {
    const [, front = ''] = formatModelCard(cardOf()).split(/^---$/m);
    expect(parse(front)).toMatchObject({
      license: 'mit',
      tags: expect.arrayContaining(['spiking-neural-network', 'lif', 'simulated-data']),
      datasets: ['simulated-dvs128-gesture'],
      metrics: ['accuracy'],
      'model-index': [{ results: [{ metrics: [{ type: 'accuracy', value: 2 / 3 }] }] }],
    });
    expect(parse(formatModelCard(cardOf({ simulated: false })).split(/^---$/m)[1] ?? '')).toMatchObject({
      tags: expect.not.arrayContaining(['simulated-data']),
      datasets: ['dvs128-gesture'],
    });
  });

  test('says data, accuracy with its interval, cost and limits', () => {
    const card = formatModelCard(cardOf({ simulated: false }));
    expect(card).toContain('DVS128 Gesture (CC BY 4.0)');
    // Wilson's interval for 2 of 3, worked by hand.
    expect(card).toContain('| test | 2 of 3 | 66.7 % | 20.8 % to 93.9 % (Wilson) |');
    expect(card).toContain('250 accumulates and 101 multiply-accumulates');
    expect(card).toContain('git commit c0ffee, with changes that were not committed');
    expect(card).toContain('- 1 epoch, batches of 4,');
    expect(card).not.toContain('imulated');
    expect(formatModelCard(cardOf())).toContain('Simulated recordings only');
  });

  test('shows names from files as they are: nothing in them becomes a heading, a link or a picture', () => {
    const content = cardOf();
    const { trained } = content;
    const model = { id: '<b>x</b>', title: 'PLIF\n# [free](https://evil.example) ![x](y)' };
    const card = formatModelCard({
      ...{ ...content, trained: { ...trained, run: { ...trained.run, model } } },
      configuration: 'profile `tiny`',
    });
    expect(card).toContain('\n# PLIF \\# \\[free\\](https://evil.example) !\\[x\\](y), seed ');
    expect(card).toContain('- profile \\`tiny\\`, model &lt;b&gt;x&lt;/b&gt;, seed');
    expect(parse(card.split(/^---$/m)[1] ?? '')['model-index'][0].name).toContain(model.title);
  });

  const folder = sharedTemporaryFolder();

  describe.skipIf(python === undefined)('has a program', () => {
    test.each([
      'net_avg_pool_lif',
      'torch/net_channel_tau_reg',
      'torch/net_sigmoid_soft_reset',
      'torch/still_mnist',
    ])('that gives the rates which PyTorch gave for %s', (name) => {
      const { description, below, float } = loadGolden(name);
      const state = below('step2/state/');
      const fields = parseFields(JSON.stringify(description), { file: name, code: 'golden', fix: '' });
      const hidden = state.get('fc.2.weight')?.shape[0];
      const content = cardOf({ layers: buildDescribed(readShape(fields, networkShape), hidden) });
      writeFileSync(path.join(folder, 'config.json'), formatModelConfig(content));
      writeFileSync(path.join(folder, 'model.safetensors'), writeSafetensors(state));
      const [, program = ''] = /```python\n([\s\S]*?)```/.exec(formatModelCard(content)) ?? [];
      const { data, shape } = float('x');
      const ask = `
values = json.load(open(0))
frames = torch.tensor(values['data'], dtype=torch.float32).reshape(values['shape'])
print(json.dumps(scores(frames).flatten().tolist()))
`;
      const [steps = 1, ...rest] = shape;
      const input = JSON.stringify({ shape: rest, data: [...data.subarray(0, data.length / steps)] });
      const run = spawnSync(python ?? '', ['-c', program + ask], { cwd: folder, input, encoding: 'utf8' });
      expect(run.stderr).not.toContain('Error');
      const rates = float('eval/rate').data;
      const found: number[] = JSON.parse(run.stdout);
      expect(found).toHaveLength(rates.length);
      for (const [i, rate] of found.entries()) expect(rate).toBeCloseTo(rates[i] ?? Number.NaN, 5);
    });
  });
});

describe('the licence of a data set', () => {
  test('is known for those whose frames may be shared', () => {
    const found = DATASETS.map(({ name, licence }) => [name, findLicence(licence)?.split('/').at(-1)]);
    expect(Object.fromEntries(found)).toEqual({
      'dvs128-gesture': 'CC-BY-4.0',
      nmnist: 'CC-BY-SA-4.0',
      'cifar10-dvs': 'CC-BY-4.0',
      'asl-dvs': undefined,
      mnist: 'CC-BY-SA-3.0',
      'fashion-mnist': 'MIT',
      cifar10: undefined,
      'two-scales': 'MIT',
    });
  });
});
