import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isObject } from '../../src/formats/fields.ts';
import { networkDefaults } from '../../src/snn/network-config.ts';
import { buildNetwork } from '../../src/snn/networks.ts';
import { THESIS_MODELS } from '../../src/thesis/published.ts';
import { resolveModel } from '../../src/training/resolve-model.ts';

const folder = path.resolve(import.meta.dirname, '../../configs/models');
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
    expect(train).toEqual({ testEvery: 1, tauRate: 1, ...file.train });
  });
});
