import { constants, defineKernel, entryPoint, type Kernel, padded } from './kernel.ts';

/** Frames as they are given, [samples, steps, channels, height, width], and where they go. */
export interface FrameShape {
  readonly steps: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Zeros around the image, and channels with those added behind. */
  readonly border: number;
  readonly outChannels: number;
  readonly type: 'uint8' | 'uint16' | 'float32';
}

export const frameValues = ({ steps, height, width, border, outChannels }: FrameShape): number =>
  steps * (height + 2 * border) * (width + 2 * border) * outChannels;

/** @returns a kernel that reads `given` and writes `frames` [samples, steps, height, width, channels], with border */
export function unpackFrames(shape: FrameShape): Kernel {
  const { steps, channels, height, width, border, outChannels, type } = shape;
  const inWord = { uint8: 4, uint16: 2, float32: 1 }[type];
  return defineKernel(
    `frames of ${type}`,
    (samples) => Math.ceil((samples * frameValues(shape)) / 256),
    { given: 'read u32', frames: 'write f32' },
    `${constants({ STEPS: steps, CHANNELS: channels, HEIGHT: height, WIDTH: width, BORDER: border, OUT_CHANNELS: outChannels })}
const OUT_WIDTH = WIDTH + 2u * BORDER;
const OUT_PIXELS = (HEIGHT + 2u * BORDER) * OUT_WIDTH;
${entryPoint('256')}
  let at = group * 256u + thread;
  let channel = at % OUT_CHANNELS;
  let pixel = at / OUT_CHANNELS % OUT_PIXELS;
  let image = at / OUT_CHANNELS / OUT_PIXELS;
  if (image >= batch.samples * STEPS) { return; }
  let y = pixel / OUT_WIDTH - BORDER; // beyond all heights in the border above
  let x = pixel % OUT_WIDTH - BORDER;
  var value = 0.0;
  if (y < HEIGHT && x < WIDTH && channel < CHANNELS) {
    let origin = ((image * CHANNELS + channel) * HEIGHT + y) * WIDTH + x;
    let word = given[origin / ${inWord}u];
    value = ${type === 'float32' ? 'bitcast<f32>(word)' : `f32(extractBits(word, origin % ${inWord}u * ${32 / inWord}u, ${32 / inWord}u))`};
  }
  frames[at] = value;
}
`,
  );
}

/** The input of a linear layer: spikes or pooled numbers, in PyTorch's order of features, times a dropout mask. */
export interface FeatureShape {
  readonly steps: number;
  readonly channels: number;
  readonly pixels: number;
  readonly input: 'bits' | 'dense';
  readonly masked: boolean;
}

const featureSource = (shape: FeatureShape) =>
  constants({
    STEPS: shape.steps,
    CHANNELS: shape.channels,
    PIXELS: shape.pixels,
    CP: padded(shape.channels),
    FEATURES: shape.channels * shape.pixels,
    FP: padded(shape.channels * shape.pixels),
  });

/** @returns a kernel that reads `source` and, if masked, `mask` [samples, features]; it writes `features` [samples, T, FP] */
export function features(shape: FeatureShape): Kernel {
  const isBits = shape.input === 'bits';
  const { steps, channels, pixels } = shape;
  return defineKernel(
    'features',
    (samples) => Math.ceil((samples * steps * padded(channels * pixels)) / 256),
    {
      source: isBits ? 'read u32' : 'read f32',
      ...(shape.masked ? { mask: 'read f32' } : {}),
      features: 'write f32',
    },
    `${featureSource(shape)}
${entryPoint('256')}
  let at = group * 256u + thread;
  let image = at / FP;
  let feature = at % FP;
  if (image >= batch.samples * STEPS) { return; }
  var value = 0.0;
  if (feature < FEATURES) {
    let channel = feature / PIXELS;
    let neuron = image * PIXELS + feature % PIXELS;
    value = ${isBits ? 'f32((source[neuron * (CP / 32u) + channel / 32u] >> (channel % 32u)) & 1u)' : 'source[neuron * CP + channel]'};
    ${shape.masked ? 'value *= mask[image / STEPS * FEATURES + feature];' : ''}
  }
  features[at] = value;
}
`,
  );
}

/** @returns a kernel that reads the gradient of `features`, `mask`, and writes `result`, the gradient of their source [samples, T, pixels, CP] */
export function featureGradient(shape: FeatureShape): Kernel {
  const { steps, channels, pixels } = shape;
  return defineKernel(
    'feature gradient',
    (samples) => Math.ceil((samples * steps * pixels * padded(channels)) / 256),
    { features: 'read f32', ...(shape.masked ? { mask: 'read f32' } : {}), result: 'write f32' },
    `${featureSource(shape)}
${entryPoint('256')}
  let at = group * 256u + thread;
  let channel = at % CP;
  let pixel = at / CP % PIXELS;
  let image = at / CP / PIXELS;
  if (image >= batch.samples * STEPS) { return; }
  var value = 0.0;
  if (channel < CHANNELS) {
    let feature = channel * PIXELS + pixel;
    value = features[image * FP + feature];
    ${shape.masked ? 'value *= mask[image / STEPS * FEATURES + feature];' : ''}
  }
  result[at] = value;
}
`,
  );
}

export interface VoteShape {
  readonly steps: number;
  readonly classes: number;
  /** Output neurons for each class. */
  readonly group: number;
  /** Whether the mean rate's squared error is taken, or each step's. */
  readonly loss: 'rate' | 'step';
}

/**
 * A class's output is the share of its neurons that spike; its rate is the mean over the steps. A thread is one class of one sample.
 *
 * @returns a kernel that reads `spikes` [samples, T, WORDS], and writes `outputs` [samples, T, classes] and `rates` [samples, classes]
 */
export function vote({ steps, classes, group }: VoteShape): Kernel {
  return defineKernel(
    'vote',
    (samples) => Math.ceil((samples * classes) / 64),
    { spikes: 'read u32', outputs: 'write f32', rates: 'write f32' },
    `${constants({ STEPS: steps, CLASSES: classes, GROUP: group, WORDS: Math.ceil((classes * group) / 32) })}
${entryPoint('64')}
  let at = group * 64u + thread;
  if (at >= batch.samples * CLASSES) { return; }
  let sample = at / CLASSES;
  let label = at % CLASSES;
  var all = 0u;
  for (var step = 0u; step < STEPS; step++) {
    var votes = 0u;
    for (var i = label * GROUP; i < (label + 1u) * GROUP; i++) {
      votes += (spikes[(sample * STEPS + step) * WORDS + i / 32u] >> (i % 32u)) & 1u;
    }
    outputs[(sample * STEPS + step) * CLASSES + label] = f32(votes) / f32(GROUP);
    all += votes;
  }
  rates[at] = f32(all) / f32(GROUP * STEPS);
}
`,
  );
}

/**
 * The gradient of the mean squared error against one-hot labels by each output neuron's spikes: over samples and classes, and with
 * `loss: step` over steps.
 *
 * @returns a kernel that reads `outputs` or `rates` as `scores`, and `labels` [samples]; it writes `result` [samples, T, CP]
 */
export function lossGradient({ steps, classes, group, loss }: VoteShape): Kernel {
  return defineKernel(
    'loss gradient',
    (samples) => Math.ceil((samples * steps * padded(classes * group)) / 256),
    { scores: 'read f32', labels: 'read u32', result: 'write f32' },
    `${constants({ STEPS: steps, CLASSES: classes, GROUP: group, CP: padded(classes * group) })}
${entryPoint('256')}
  let at = group * 256u + thread;
  let sample = at / CP / STEPS;
  if (sample >= batch.samples) { return; }
  let label = at % CP / GROUP;
  var value = 0.0;
  if (label < CLASSES) {
    let score = scores[${loss === 'rate' ? 'sample' : 'at / CP'} * CLASSES + label];
    let error = score - select(0.0, 1.0, labels[sample] == label);
    value = error * (2 / f32(batch.total * CLASSES * STEPS * GROUP));
  }
  result[at] = value;
}
`,
  );
}
