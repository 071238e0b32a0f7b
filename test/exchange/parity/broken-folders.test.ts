import { describe, it } from 'vitest';
import { copyGolden, describeCase, editTensors, expectFailures, floats, whole } from './case-folders.ts';

describe('a changed value is found', () => {
  it('in spikes, with its place', async () => {
    const folder = copyGolden('plif_00');
    editTensors(folder, 'plif_00', (tensors) => {
      const { data } = tensors.get('spikes')!;
      data[601] = 1 - Number(data[601]);
    });
    await expectFailures(folder, /^plif_00: spikes: spikes\[5, 0, 0, 0, 1\] expected [01], found [01]$/);
  });

  it('in a gradient, by a ten-thousandth', async () => {
    const folder = copyGolden('plif_08');
    editTensors(folder, 'plif_08', (tensors) => {
      const { data } = tensors.get('grad_x')!;
      data[3] = Number(data[3]) + 1e-4;
    });
    await expectFailures(folder, 'plif_08: grad_x: grad_x[0, 0, 0, 0, 3]');
  });

  it('in a parameter, by a hundredth of a step', async () => {
    const folder = copyGolden('net_layer_tau');
    editTensors(folder, 'net_layer_tau', (tensors) => {
      const { data } = tensors.get('step1/state/fc.3.w')!;
      data[0] = Number(data[0]) + 1e-5;
    });
    await expectFailures(folder, 'net_layer_tau: parameters, step 1: step1/state/fc.3.w[]');
  });

  it('in frames, events, clips, random numbers and orders', async () => {
    const changes = {
      frames_number_None_4: ['frames', 'frames: frames[0, 0, 0, 0]'],
      aedat_events: ['t', 't: t[0]'],
      aedat_segments: ['segment_0', 'classes: segment_0/class[0]'],
      rng: ['rand_20', 'rand_20: rand_20[0]'],
      data_order: ['epoch0/train', 'train order: epoch0/train[0]'],
    } as const;
    const folder = copyGolden(...Object.keys(changes));
    for (const [name, [tensor]] of Object.entries(changes)) {
      editTensors(folder, name, (tensors) => {
        const { data } = tensors.get(tensor)!;
        if (data instanceof BigInt64Array) data[0] = data[0]! + 1n;
        else data[0] = data[0]! + 1;
      });
    }
    await expectFailures(
      folder,
      ...Object.entries(changes).map(([name, [, text]]) => `${name}: ${text} expected `),
    );
  });
});

describe('a folder that does not fit its cases', () => {
  const missing: readonly [string, string, string][] = [
    ['plif_00', 'grad_w', 'plif_00: grad_w: tensor "grad_w" is missing from the folder'],
    ['plif_00', 'x', 'plif_00: the case: tensor "x" is missing'],
    ['frames_time_max_4', 'frames', 'frames_time_max_4: the case: tensor "frames" is missing'],
    ['net_layer_tau', 'step1/mask1', 'net_layer_tau: the case: tensor "step1/mask1" is missing'],
    [
      'net_layer_tau',
      'init/fc.3.w',
      'net_layer_tau: the case: state: expected a tensor "fc.3.w", found none',
    ],
    [
      'net_layer_tau',
      'step0/grad/conv.1.bias',
      'net_layer_tau: gradients, step 0: tensor "step0/grad/conv.1.bias" is missing',
    ],
    [
      'net_layer_tau',
      'step2/state/conv.5.running_var',
      'net_layer_tau: statistics, step 2: tensor "step2/state/conv.5.running_var" is missing',
    ],
    ['aedat_segments', 'segment_3', 'aedat_segments: the case: recording_labels.csv has 4 rows, but'],
    ['data_order', 'epoch1/val', 'data_order: the case: tensor "epoch1/val" is missing'],
  ];
  it.each(missing)('%s without %s', async (name, tensor, failure) => {
    const folder = copyGolden(name);
    editTensors(folder, name, (tensors) => tensors.delete(tensor));
    await expectFailures(folder, failure);
  });

  const added: readonly [string, string, string][] = [
    ['plif_00', 'grad_alpha', 'plif_00: other tensors: nothing uses "grad_alpha"'],
    ['rng', 'poisson_4', 'rng: poisson_4: the folder has a tensor "poisson_4", this program computes none'],
    [
      'net_layer_tau',
      'step0/state/fc.2.bias',
      'net_layer_tau: parameters, step 0: the folder has a tensor "step0/state/fc.2.bias", this program computes none',
    ],
    ['net_layer_tau', 'step3/rate', 'net_layer_tau: other tensors: nothing uses "step3/rate"'],
  ];
  it.each(added)('%s with %s', async (name, tensor, failure) => {
    const folder = copyGolden(name);
    editTensors(folder, name, (tensors) => tensors.set(tensor, floats([1], 1)));
    await expectFailures(folder, failure);
  });

  it('is one with a tensor of another shape or type', async () => {
    const folder = copyGolden('plif_00', 'plif_08', 'frames_number_None_4', 'net_layer_tau');
    editTensors(folder, 'plif_00', (tensors) => {
      tensors.set('grad_w', { dtype: 'F32', shape: [1], data: tensors.get('grad_w')!.data as Float32Array });
    });
    editTensors(folder, 'plif_08', (tensors) => tensors.set('w', floats([], 0)));
    editTensors(folder, 'frames_number_None_4', (tensors) => tensors.set('frames', whole(1)));
    editTensors(folder, 'net_layer_tau', (tensors) => tensors.set('y', floats([1], 0)));
    await expectFailures(
      folder,
      'plif_00: grad_w: tensor "grad_w": the folder has shape [1], this program computes []',
      'plif_08: the case: tensor "w" has shape [], expected [1, 3, 4, 5]',
      'frames_number_None_4: the case: tensor "frames" has shape [1], expected [4, 2, 16, 16]',
      'net_layer_tau: the case: tensor "y" has shape [1], expected [3, 4]',
    );
  });

  it.each([
    [[0n, 0n, 1_000_000n], 'has events 0 to 1000000, expected 0 <= first <= end <= 300'],
    [[0n, -1n, 10n], 'has events -1 to 10, expected'],
    [[0n, 20n, 10n], 'has events 20 to 10, expected'],
  ])('is one with a clip of events that the recording lacks: %s', async (segment, reason) => {
    const folder = copyGolden('aedat_segments');
    editTensors(folder, 'aedat_segments', (tensors) => {
      // The last clip, so that an end beyond the recording cuts out the same events.
      const [label = 0n] = tensors.get('segment_3')!.data;
      const data = BigInt64Array.of(BigInt(label), ...segment.slice(1));
      tensors.set('segment_3', { dtype: 'I64', shape: [3], data });
    });
    await expectFailures(folder, `aedat_segments: the case: tensor "segment_3" ${reason}`);
  });

  it('is one with a file that is cut off, missing or outside the folder', async () => {
    const folder = copyGolden('plif_00', 'plif_01', 'plif_02', 'aedat_events');
    folder.files.set('plif_00.safetensors', folder.files.get('plif_00.safetensors')!.subarray(0, 9000));
    folder.files.delete('plif_01.safetensors');
    describeCase(folder, 'aedat_events').file = '../recording.aedat';
    await expectFailures(
      folder,
      'plif_00: the case: plif_00.safetensors: not a valid safetensors file',
      'plif_01: the case: the folder has no file "plif_01.safetensors"',
      'aedat_events: the case: "../recording.aedat" must be the name of a file in this folder',
    );
  });
});
