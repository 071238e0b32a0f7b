import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { State } from '../../snn/tensor.ts';
import { ShapeError } from '../../snn/tensor.ts';
import type { Frames } from '../engine.ts';

/** A copy of a tensor's values: the CPU backend would return its own memory. */
export async function readCopy(tensor: Tensor): Promise<Float32Array> {
  return Float32Array.from(await tensor.data());
}

/** Copies a float tensor of a state to the current backend. */
export function toTensor(state: State, name: string): Tensor {
  const tensor = state.get(name);
  if (tensor?.dtype !== 'F32') throw new ShapeError(`"${name}": expected a float tensor`);
  return tf.tensor(tensor.data.slice(), [...tensor.shape], 'float32');
}

/** [T·N, classes] outputs, time outermost, to [N, T, classes]. */
export function samplesFirst(
  outputs: Float32Array,
  [samples = 0, classes = 0]: readonly number[],
): Float32Array {
  const steps = outputs.length / (samples * classes);
  return outputs.map((_, i) => {
    const [sample, step] = [Math.floor(i / (steps * classes)), Math.floor(i / classes) % steps];
    return outputs[(step * samples + sample) * classes + (i % classes)]!;
  });
}

/** [N, T, P, H, W] counts to [T, N, H, W, P] floats. */
export function timeFirst({ shape: [samples, steps, channels, height, width], data }: Frames): Float32Array {
  const pixels = height * width;
  const values = new Float32Array(data.length);
  for (let sample = 0; sample < samples; sample++) {
    for (let step = 0; step < steps; step++) {
      for (let channel = 0; channel < channels; channel++) {
        const from = ((sample * steps + step) * channels + channel) * pixels;
        const to = (step * samples + sample) * pixels * channels + channel;
        for (let pixel = 0; pixel < pixels; pixel++) {
          values[to + pixel * channels] = data[from + pixel]!;
        }
      }
    }
  }
  return values;
}
