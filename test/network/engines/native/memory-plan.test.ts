import { describe, expect, test } from 'vitest';
import { createNativeEngine } from '../../../../src/network/engines/native/engine.ts';
import { countParameterBytes } from '../../../../src/network/engines/native/memory.ts';
import { buildNetwork } from '../../../../src/network/networks.ts';
import { smallNetwork } from '../../../training/small-task.ts';
import { FakeAddon, type FakeAddonOptions } from './fake-addon.ts';

const spec = buildNetwork(smallNetwork);
const workload = { spec, steps: 20, trainingBatch: 16, evaluationBatch: 32 };
const parameterBytes = countParameterBytes(spec);

async function plan(bytesFor: NonNullable<FakeAddonOptions['bytesFor']>, availableBytes: number) {
  const addon = new FakeAddon({ bytesFor });
  const environment = { REPRO_ISA: 'avx2' };
  const engine = createNativeEngine(addon, { threads: 3, environment, available: () => availableBytes });
  const result = await engine.planMemory!(workload);
  return { addon, result };
}

describe('planning the memory of a network', () => {
  test('tells what both batches need, and the largest that fit beside the parameters, and computes nothing', async () => {
    const bytesFor = (samples: number, steps: number, training: boolean) =>
      samples * steps * (training ? 100 : 10);
    // Ten training samples, but for the parameters.
    const { addon, result } = await plan(bytesFor, 10 * 2000 + parameterBytes - 1 + 2000);
    expect(result).toEqual({
      parameterBytes,
      training: { samples: 16, bytes: 32_000, largest: 10 },
      evaluation: { samples: 32, bytes: 6400, largest: 109 },
      availableBytes: 21_999 + parameterBytes,
    });
    expect(addon.opened).toMatchObject([{ threads: 3, instructionSet: 'avx2', winogradTile: 2 }]);
    expect(addon.networks).toMatchObject([{ passes: 0, isDisposed: true }]);
  });

  test('counts what cannot be addressed as infinite', async () => {
    const bytesFor = (samples: number) => {
      if (samples <= 4) return 1;
      throw Object.assign(new Error('too large'), { code: 'PLIF_OUT_OF_MEMORY' });
    };
    const { training } = (await plan(bytesFor, 1e9)).result;
    expect(training).toEqual({ samples: 16, bytes: Number.POSITIVE_INFINITY, largest: 4 });
  });

  test('does not even open a network whose parameters do not fit', async () => {
    const addon = new FakeAddon();
    const available = () => parameterBytes - 1;
    const engine = createNativeEngine(addon, { environment: {}, available });
    await expect(engine.planMemory!(workload)).rejects.toThrow(
      expect.objectContaining({ code: 'out-of-memory' }),
    );
    expect(addon.opened).toEqual([]);
  });

  test('explains a network whose parameters cannot be allocated', async () => {
    const addon = new FakeAddon();
    addon.open = () => {
      throw Object.assign(new Error('no'), { code: 'PLIF_OUT_OF_MEMORY' });
    };
    await expect(createNativeEngine(addon, { environment: {} }).planMemory!(workload)).rejects.toThrow(
      expect.objectContaining({ code: 'out-of-memory', message: 'This network does not fit in memory.' }),
    );
  });
});
