import type { Frames } from '../engines/engine.ts';
import { unreachable } from '../errors.ts';
import type { FrameOrder } from '../results/evaluation-file.ts';
import { mixSeed, TorchRandom } from '../snn/torch-random.ts';
import type { ClipSource } from './clip-source.ts';

/** Distinguishes the stream of frame orders from other streams with the same seed: "time" in ASCII. */
const ORDER_STREAM = 0x74696d65;

/**
 * The clips of a source with the frames of each in another order; the source does not change.
 *
 * `shuffled` depends only on the clip's row and on T: every network sees the same shuffled clips, on every machine. `mean` keeps what all
 * frames have in common and nothing of their order: each is the mean of the clip's T frames, in single precision.
 */
export function reorderFrames(source: ClipSource, order: FrameOrder): ClipSource {
  const [steps] = source.shape;
  return {
    ...source,
    async read(rows, batch) {
      const frames = await source.read(rows, batch);
      switch (order) {
        case 'reversed':
          return arrange(frames, () => Int32Array.from({ length: steps }, (_, step) => steps - 1 - step));
        case 'shuffled':
          return arrange(frames, (clip) =>
            new TorchRandom(mixSeed(ORDER_STREAM, rows[clip]!)).permutation(steps),
          );
        case 'mean':
          return averageFrames(frames);
        default:
          return unreachable(order);
      }
    },
  };
}

/** @param orderOf for each clip of the batch, the step that each of its frames comes from */
function arrange({ shape, data }: Frames, orderOf: (clip: number) => Int32Array): Frames {
  const [clips, steps] = shape;
  const length = data.length / clips / steps;
  const arranged = data.slice();
  for (let clip = 0; clip < clips; clip++) {
    orderOf(clip).forEach((from, step) => {
      const at = (clip * steps + from) * length;
      arranged.set(data.subarray(at, at + length), (clip * steps + step) * length);
    });
  }
  return { shape, data: arranged };
}

function averageFrames({ shape, data }: Frames): Frames {
  const [clips, steps] = shape;
  const length = data.length / clips / steps;
  const means = new Float32Array(data.length);
  for (let clip = 0; clip < clips; clip++) {
    const start = clip * steps * length;
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let step = 0; step < steps; step++) sum += data[start + step * length + i]!;
      for (let step = 0; step < steps; step++) means[start + step * length + i] = sum / steps;
    }
  }
  return { shape, data: means };
}
