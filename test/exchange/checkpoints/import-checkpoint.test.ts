import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { importCheckpoint } from '../../../src/exchange/checkpoints/import-checkpoint.ts';
import type { ImportAnswers } from '../../../src/exchange/checkpoints/infer-network.ts';
import { inferNetwork } from '../../../src/exchange/checkpoints/infer-network.ts';
import { readLayers } from '../../../src/exchange/checkpoints/module-tree.ts';
import { readSafetensors } from '../../../src/formats/safetensors.ts';
import type { Tensor } from '../../../src/formats/tensor.ts';
import type { Frames } from '../../../src/network/engines/engine.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import { stateEntries } from '../../../src/network/spec.ts';
import { builds, nativeEngine } from '../../native/support.ts';
import { repackTorchFixture, torchFixture, torchFixturePath } from '../../support/torch-file.ts';
import '../../support/all-close.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';

/** What PyTorch had in the network of `<name>.pt`, and its output. */
function expectedOf(name: string) {
  const { tensors } = readSafetensors(torchFixture(`${name}-expected.safetensors`), name);
  const float = (key: string): Extract<Tensor, { dtype: 'F32' }> => {
    const tensor = tensors.get(key);
    if (tensor?.dtype !== 'F32') throw new Error(`${name}: no ${key}`);
    return tensor;
  };
  const state = [...tensors.keys()].filter((key) => key.startsWith('state/')).map((key) => key.slice(6));
  return { float, state, frames: float('frames'), rates: float('rates') };
}

function importFixture(name: string, answers: ImportAnswers = {}) {
  return importCheckpoint(torchFixturePath(name), answers);
}

describe('a checkpoint of the original', () => {
  test.each([
    ['baseline.pt', 'baseline'],
    ['baseline-state.pt', 'baseline'],
    ['baseline-state.safetensors', 'baseline'],
    ['baseline-mixed.safetensors', 'baseline'],
    ['per-neuron.pt', 'per-neuron'],
    ['learnable-alpha.pt', 'learnable-alpha'],
    ['lif.pt', 'lif'],
    ['mnist.pt', 'mnist'],
    ['cifar10.pt', 'cifar10'],
  ])('gives the output that it gives in PyTorch: %s', async (file, name) => {
    const { state, network } = await importFixture(file);
    const expected = expectedOf(name);
    for (const key of expected.state) {
      const tensor = state.get(key)!;
      expect(tensor.shape).toEqual(expected.float(`state/${key}`).shape);
      expect(tensor.data).toEqual(expected.float(`state/${key}`).data);
    }
    const engine = nativeEngine(builds.at(-1));
    const session = await engine.open(buildNetwork(network), state);
    const { data } = expected.frames;
    const { rates } = await session.evaluate({ shape: expected.frames.shape as Frames['shape'], data });
    session.dispose();
    // A rate counts the spikes of 10 neurons over T steps, so that the spikes are the same.
    expect(rates).toBeAllclose(expected.rates.data, { absolute: 1e-6, relative: 0 });
  });

  test('determines its whole network except what pooling rounds away of the frame size', async () => {
    const { network, assumptions, ...rest } = await importFixture('baseline.pt');
    expect(network).toEqual({
      input: [2, 16, 16],
      classes: 3,
      channels: 4,
      layers: 2,
      hidden: 16,
      votes: 10,
      neuron: 'plif',
      tau: { per: 'layer', mean: 2, std: 0 },
      reset: { kind: 'hard', detach: true, potential: 0 },
      threshold: 1,
      surrogate: { kind: 'atan', alpha: 2, learnable: false },
      pooling: 'max',
      dropout: 0.5,
    });
    expect(assumptions).toEqual([
      {
        what: 'frames of 16 x 16; 16 to 19 pixels would fit (change it with ./repro import --input)',
      },
    ]);
    expect(rest).toMatchObject({
      trainedSteps: 6,
      format: 'zip',
      className: 'models.DVS128GestureNet',
      claims: { epoch: 2, train_times: 132, max_val_accuracy: 0.625, max_val_test_accuracy: 0.5625 },
      warnings: [],
    });
  });

  test('determines everything if each neuron has its own τ, which has the shape of the maps', async () => {
    const { network, assumptions } = await importFixture('per-neuron.pt');
    expect(network).toMatchObject({
      input: [2, 17, 13],
      tau: { per: 'neuron', mean: 2, std: 0.1 },
      pooling: 'average',
    });
    expect(assumptions).toEqual([]);
  });

  test.each([
    ['lif', { neuron: 'lif', tau: { per: 'layer', mean: 2.5, std: 0 }, reset: { potential: -0.25 } }],
    ['learnable-alpha', { neuron: 'plif', reset: { kind: 'soft' }, surrogate: { learnable: true } }],
    ['mnist', { architecture: 'mnist', steps: 4, hidden: 32 }],
    ['cifar10', { architecture: 'cifar10', input: [3, 32, 32] }],
  ])('describes its neurons, and how long a still image is shown: %s', async (name, network) => {
    expect((await importFixture(`${name}.pt`)).network).toMatchObject(network);
  });
});

describe('a state_dict alone', () => {
  test('takes what it does not say from the thesis, and records each assumption', async () => {
    const { network, assumptions, className } = await importFixture('baseline-state.pt');
    expect(network).toEqual((await importFixture('baseline.pt')).network);
    expect(className).toBeNull();
    expect(assumptions.map(({ what }) => what)).toEqual([
      'frames of 16 x 16; 16 to 19 pixels would fit (change it with ./repro import --input)',
      'reset hard, as in the thesis (change it with ./repro import --reset)',
      'threshold 1, as in the thesis',
      'pooling max, as in the thesis (change it with ./repro import --pooling)',
    ]);
  });

  test('says the same in a .safetensors file that another program wrote, whatever its types', async () => {
    const { format: _, ...expected } = await importFixture('baseline-state.pt');
    for (const name of ['baseline-state.safetensors', 'baseline-mixed.safetensors']) {
      const { format, ...found } = await importFixture(name);
      expect(format).toBe('safetensors');
      expect(found).toEqual(expected);
    }
    await expect(importFixture('baseline-state.safetensors', { tau: 3 })).rejects.toMatchObject({
      code: 'import-contradiction',
    });
    await expect(importFixture('none.safetensors')).rejects.toMatchObject({ code: 'checkpoint-missing' });
    await expect(importFixture('kinds.safetensors')).rejects.toThrow('it has no tensor "conv.0.weight"');
  });

  test('takes what it does not say from the user', async () => {
    const { network } = await importFixture('baseline-state.pt', {
      pooling: 'average',
      reset: 'soft',
      size: [18, 19],
    });
    expect(network).toMatchObject({ pooling: 'average', reset: { kind: 'soft' }, input: [2, 18, 19] });
  });

  test('is refused if the answers do not fit it', async () => {
    await expect(importFixture('baseline-state.pt', { size: [32, 32] })).rejects.toThrow(
      'frames of 32 x 32 do not fit: 2 layers reduce them to 8 x 8, but "fc.2.weight" takes 16 pixels per channel',
    );
    for (const answers of [{ tau: 3 }, { steps: 8 }]) {
      await expect(importFixture('baseline-state.pt', answers)).rejects.toMatchObject({
        code: 'import-contradiction',
      });
    }
  });
});

describe('frames that are not square', () => {
  const shapes = { 'conv.0.weight': [4, 2, 3, 3], 'fc.2.weight': [16, 24], 'fc.5.weight': [30, 16] };
  const infer = (answers: ImportAnswers) =>
    inferNetwork({
      tensors: new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape }])),
      facts: { claims: {} },
      className: undefined,
      answers,
      file: 'x.pt',
    });

  test('need their size from the user', () => {
    expect(() => infer({})).toThrow(
      expect.objectContaining({
        code: 'import-unknown',
        message: 'its frames are not square: "fc.2.weight" takes 6 pixels per channel.',
        fix: 'Give their size: --input HEIGHTxWIDTH.',
      }),
    );
    expect(infer({ size: [4, 7] }).network.input).toEqual([2, 4, 7]);
    expect(() => infer({ size: [4, 8] })).toThrow('frames of 4 x 8 do not fit');
  });
});

describe('an answer', () => {
  test('is refused if the file says otherwise', async () => {
    await expect(importFixture('baseline.pt', { pooling: 'average' })).rejects.toThrow(
      'the file says pooling max, but --pooling says otherwise.',
    );
    await expect(importFixture('lif.pt', { tau: 3 })).rejects.toThrow('the file says τ 2.5');
    await expect(importFixture('per-neuron.pt', { size: [16, 16] })).rejects.toThrow(
      'the file says frames of 17 x 13',
    );
    await expect(importFixture('mnist.pt', { steps: 8 })).rejects.toThrow('the file says steps 4');
    expect((await importFixture('baseline.pt', { pooling: 'max' })).network.pooling).toBe('max');
  });
});

describe('what is not a network of the thesis', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  /** A fixture with some bytes replaced by as many others wherever they are. */
  async function changed(name: string, from: string | Uint8Array, to: string | Uint8Array): Promise<string> {
    const [old, text] = [Buffer.from(from), Buffer.from(to)];
    expect(text.length).toBe(old.length);
    let places = 0;
    const packed = await repackTorchFixture(name, (member) => {
      const bytes = Buffer.from(member.bytes);
      for (let at = bytes.indexOf(old); at >= 0; at = bytes.indexOf(old, at + 1)) {
        text.copy(bytes, at);
        places += 1;
      }
      return { ...member, bytes };
    });
    expect(places).toBeGreaterThan(0);
    const file = path.join(folder, name);
    await writeFile(file, packed);
    return file;
  }

  test('is refused saying what it is', async () => {
    await expect(importFixture('small.pt')).rejects.toThrow('it has no tensor "conv.0.weight"');
    await expect(importFixture('kinds.pt')).rejects.toThrow('expected a network, found a dictionary.');
  });

  test('is refused if a layer is of another kind', async () => {
    const file = await changed('baseline.pt', 'MaxPool2d', 'Upsamples');
    await expect(importCheckpoint(file)).rejects.toThrow(
      'layer "conv.3" (Upsamples) is of a kind that no network here has.',
    );
  });

  test('is refused if a layer has other settings', async () => {
    // The opcodes of 'eps': 1e-05 and of 1e-03.
    const number = (value: number): Buffer => {
      const bytes = Buffer.alloc(9, 'G');
      bytes.writeDoubleBE(value, 1);
      return bytes;
    };
    const file = await changed('baseline.pt', number(1e-5), number(1e-3));
    await expect(importCheckpoint(file)).rejects.toThrow(
      'layer "conv.1" (BatchNorm2d) differs from these networks: its eps is 0.001, expected 0.00001',
    );
  });

  test.each([
    ['lif', { v_threshold: 1 }, 'its neurons have neither a learned τ'],
    ['eif', { v_threshold: 1, tau: 2, delta_T: 1 }, 'its neurons have "delta_T"'],
    ['undivided', { v_threshold: 1, tau: 2, decay_input: false }, 'decay_input is False'],
    [
      'Conv2d',
      { kernel_size: 3, padding: 1, stride: 1, dilation: 1, groups: 1, padding_mode: 'circular' },
      'its padding_mode is "circular", expected "zeros"',
    ],
    [
      'MaxPool2d',
      { kernel_size: 2, stride: 2, padding: 0, ceil_mode: true },
      'its ceil_mode is True, expected False',
    ],
    ['Flatten', { start_dim: 0 }, 'its start_dim is 0, expected 1'],
  ])('is refused if a layer computes something else: %s', (className, attributes, expected) => {
    const node = { path: 'conv.0', className, attributes: new Map(Object.entries(attributes)) };
    const tree = { modules: [node], parameters: new Map(), buffers: new Map() };
    expect(() => readLayers(tree, 'x.pt')).toThrow(expected);
  });

  test('is refused if a tensor has a name that no network here has', async () => {
    const file = await changed('baseline-state.pt', 'fc.3.w', 'fc.3.x');
    await expect(importCheckpoint(file)).rejects.toThrow('no network here has the tensors "fc.3.x".');
  });
});

test('τ per channel is told from τ per neuron by the shapes behind convolutions, and says nothing about frames', () => {
  const infer = (per: 'channel' | 'neuron') => {
    const spec = buildNetwork({ ...thesisNetwork, tau: { per, mean: 2, std: 0.1 } });
    const tensors = new Map(stateEntries(spec).map(({ name, shape }) => [name, { shape }]));
    return inferNetwork({
      tensors,
      facts: { claims: {} },
      className: undefined,
      answers: {},
      file: 'state.pt',
    }).network;
  };
  for (const per of ['channel', 'neuron'] as const)
    expect(infer(per)).toMatchObject({ input: [2, 128, 128], tau: { per, mean: 2, std: 0.1 } });
});
