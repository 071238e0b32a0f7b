import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ShapeError } from '../../snn/shape-error.ts';
import type { Tensor as StateTensor } from '../../snn/tensor.ts';
import type { Frames } from '../engine.ts';

/** The CPU backend hands out its own memory, so a copy is due. */
export async function readCopy(tensor: Tensor): Promise<Float32Array> {
  return Float32Array.from(await tensor.data());
}

export function toTensor(tensor: StateTensor | undefined, name: string, shape?: readonly number[]): Tensor {
  if (tensor?.dtype !== 'F32' || (shape !== undefined && tensor.shape.join() !== shape.join())) {
    throw new ShapeError(
      `optimiser: "${name}" must be a float tensor of shape [${shape}], got ${tensor && `[${tensor.shape}]`}`,
    );
  }
  return tf.tensor(tensor.data.slice(), [...tensor.shape], 'float32');
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
          values[to + pixel * channels] = data[from + pixel] as number;
        }
      }
    }
  }
  return values;
}
