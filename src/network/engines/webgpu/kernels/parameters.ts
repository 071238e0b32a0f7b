import { constants, defineKernel, entryPoint, formatFloat, type Kernel, padded } from './kernel.ts';
import { mergeSource } from './statistics.ts';

/**
 * Gradients that are sums over a layer: batch norm's weight and bias from Σ g · ŷ and Σ g of each step, and those of a shared w and α, which
 * are sums over the channels; of a w per channel, those are not added up. One group: there are few channels.
 *
 * @param rows of `sums`, [rows, CP]: 2 for each step if there is a batch norm, then α and w
 * @param parts which gradients the layer has
 * @returns a kernel that reads `sums`, and writes `norm` (weight and bias, [2, CP]) and `neuron` (w, one or [CP], and behind it α)
 */
export function layerGradients(
  channels: number,
  rows: number,
  parts: {
    readonly norm: boolean;
    /** What has a w that pixels share. */
    readonly logitPer: 'layer' | 'channel' | undefined;
    readonly alphaAt: number | undefined;
  },
): Kernel {
  const { norm, logitPer, alphaAt } = parts;
  return defineKernel(
    'layer gradients',
    () => 1,
    {
      sums: 'read f32',
      ...(norm ? { norm: 'write f32' } : {}),
      ...(logitPer !== undefined || alphaAt !== undefined ? { neuron: 'write f32' } : {}),
    },
    `${constants({ CP: padded(channels), ROWS: rows })}
var<workgroup> lanes: array<vec2f, 256>;
${entryPoint('256')}
  var both = vec2f();
  for (var channel = thread; channel < CP; channel += 256u) {
    ${
      norm
        ? `var weight = 0.0;
    var bias = 0.0;
    for (var row = 0u; row < ROWS - 2u; row += 2u) {
      bias += sums[row * CP + channel];
      weight += sums[(row + 1u) * CP + channel];
    }
    norm[channel] = weight;
    norm[CP + channel] = bias;`
        : ''
    }
    ${logitPer === 'channel' ? 'neuron[channel] = sums[(ROWS - 1u) * CP + channel];' : ''}
    both += vec2f(sums[(ROWS - 2u) * CP + channel], sums[(ROWS - 1u) * CP + channel]);
  }
  lanes[thread] = both;
  workgroupBarrier();
  if (thread > 0u) { return; }
  for (var lane = 1u; lane < 256u; lane++) { both += lanes[lane]; }
  ${alphaAt === undefined ? '' : `neuron[${alphaAt}] = both.x;`}
  ${logitPer === 'layer' ? 'neuron[0] = both.y;' : ''}
}
`,
  );
}

/** The w of a layer with τ per channel or neuron: [rows, CP]. */
interface LogitShape {
  readonly channels: number;
  readonly rows: number;
  readonly lambda: number;
  /** Whose variance is taken: w's, or τ's. */
  readonly of: 'w' | 'tau';
}

/** τ − 1 = e^−w has the variance of τ. */
const logitSource = ({ channels, rows, of }: LogitShape) => `
${constants({ CHANNELS: channels, CP: padded(channels), SIZE: rows * padded(channels), COUNT: rows * channels })}
fn valueAt(i: u32) -> f32 { return ${of === 'w' ? 'neuron[i]' : 'exp(-neuron[i])'}; }
`;

/** Into how many parts a layer's w are divided. */
export const VARIANCE_PARTS = 64;

/** The variance of a layer's τ or w, and its gradient: three kernels, one after the other. */
export function tauVariance(shape: LogitShape): {
  readonly sums: Kernel;
  readonly variance: Kernel;
  readonly gradient: Kernel;
} {
  const source = logitSource(shape);
  const addLanes = `
var<workgroup> lanes: array<f32, 256>;
fn addLanes(thread: u32, mine: f32) -> f32 {
  workgroupBarrier();
  lanes[thread] = mine;
  workgroupBarrier();
  for (var half = 128u; half > 0u; half /= 2u) {
    if (thread < half) { lanes[thread] += lanes[thread + half]; }
    workgroupBarrier();
  }
  return lanes[0];
}
`;
  return {
    /** Writes the sum of a part's values, and of their squared distances from the part's mean. */
    sums: defineKernel(
      'tau variance, parts',
      () => VARIANCE_PARTS,
      { neuron: 'read f32', parts: 'write vec4f' },
      `${source}${addLanes}
${entryPoint('256')}
  let part = group;
  let share = (SIZE / ${VARIANCE_PARTS}u + 1u);
  let end = min(SIZE, (part + 1u) * share);
  var sum = 0.0;
  var count = 0.0;
  for (var i = part * share + thread; i < end; i += 256u) {
    if (i % CP < CHANNELS) { sum += valueAt(i); count += 1; }
  }
  let all = addLanes(thread, count);
  let mean = addLanes(thread, sum) / max(all, 1);
  var squares = 0.0;
  for (var i = part * share + thread; i < end; i += 256u) {
    let apart = valueAt(i) - mean;
    if (i % CP < CHANNELS) { squares += apart * apart; }
  }
  let spread = addLanes(thread, squares);
  if (thread == 0u) { parts[part] = vec4f(all, mean, spread, 0); }
}
`,
    ),
    /** Writes mean and unbiased variance. */
    variance: defineKernel(
      'tau variance',
      () => 1,
      { parts: 'read vec4f', moments: 'write f32' },
      `const COUNT = ${shape.rows * shape.channels}u;
${mergeSource}${entryPoint('1')}
  var all = parts[0];
  for (var part = 1u; part < ${VARIANCE_PARTS}u; part++) { all = merge(all, parts[part]); }
  moments[0] = all.y;
  moments[1] = all.z / f32(COUNT - 1u);
}
`,
    ),
    /** Adds `2 λ (value − mean) / (n − 1) · dvalue/dw` to w's gradient; dτ/dw = −e^−w. */
    gradient: defineKernel(
      'tau variance, gradient',
      () => Math.ceil((shape.rows * padded(shape.channels)) / 256),
      { neuron: 'read f32', moments: 'read f32', gradient: 'write f32' },
      `${source}
${entryPoint('256')}
  let i = group * 256u + thread;
  if (i >= SIZE || i % CP >= CHANNELS) { return; }
  let value = valueAt(i);
  gradient[i] += (2 * ${formatFloat(shape.lambda)} / f32(COUNT - 1u)) * (value - moments[0])${shape.of === 'tau' ? ' * -value' : ''};
}
`,
    ),
  };
}

/**
 * One step of Adam on all parameters, as in PyTorch: `m = β1 m + (1 − β1) g`, `v = β2 v + (1 − β2) g²`,
 * `p −= lr / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε)`. What fills up blocks has no gradient and stays 0.
 *
 * @param taus where each layer's w lies, whose steps are multiplied by `tauRate`
 */
export function adamKernel(
  size: number,
  taus: readonly { readonly offset: number; readonly size: number }[] = [],
  tauRate = 1,
): Kernel {
  const isTau = taus.map(({ offset, size }) => `(i >= ${offset}u && i < ${offset + size}u)`).join(' || ');
  const factor =
    tauRate === 1 || taus.length === 0 ? '' : `select(1.0, ${formatFloat(tauRate)}, ${isTau}) * `;
  return defineKernel(
    'Adam',
    () => Math.ceil(size / 256),
    { values: 'write f32', gradients: 'read f32', first: 'write f32', second: 'write f32' },
    `${constants({ SIZE: size })}
${entryPoint('256')}
  let i = group * 256u + thread;
  if (i >= SIZE) { return; }
  let gradient = gradients[i];
  let m = 0.9 * first[i] + (1 - 0.9) * gradient;
  let v = 0.999 * second[i] + (1 - 0.999) * gradient * gradient;
  first[i] = m;
  second[i] = v;
  values[i] -= ${factor}batch.stepSize * (m / (sqrt(v) / batch.correction + 1e-8));
}
`,
  );
}

/** As many threads for each column as there are parts, up to 8. */
const lanesOf = (parts: number): number => (parts >= 8 ? 8 : 1);

/** `sums[i] = Σ over parts of parts[part, i]`, in a fixed order. @param size of a part, a multiple of 32 */
export function reduceParts(parts: number, size: number): Kernel {
  const lanes = lanesOf(parts);
  return defineKernel(
    'sum of parts',
    () => Math.ceil((size * lanes) / 256),
    { parts: 'read f32', sums: 'write f32' },
    `${constants({ PARTS: parts, SIZE: size, COLUMNS: 256 / lanes, LANES: lanes })}
var<workgroup> lanes: array<f32, 256>;
${entryPoint('256')}
  let column = group * COLUMNS + thread % COLUMNS;
  var sum = 0.0;
  if (column < SIZE) {
    for (var part = thread / COLUMNS; part < PARTS; part += LANES) { sum += parts[part * SIZE + column]; }
  }
  lanes[thread] = sum;
  workgroupBarrier();
  if (thread >= COLUMNS || column >= SIZE) { return; }
  for (var lane = 1u; lane < LANES; lane++) { sum += lanes[lane * COLUMNS + thread]; }
  sums[column] = sum;
}
`,
  );
}
