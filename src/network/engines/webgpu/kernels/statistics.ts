import { countNeuronFlop, currentBindings, currentSource, type NeuronShape } from './current.ts';
import { constants, defineKernel, entryPoint, type Kernel, padded } from './kernel.ts';

/** Into how many parts the rows of a step are divided. */
export const statisticsParts = ({ height, width }: NeuronShape): number =>
  Math.min(64, Math.ceil((height * width) / 64));

/** Merges the statistics of two sets (Chan et al. 1979), without large squares that cancel. */
export const mergeSource = `
/// Count, mean, and sum of squared deviations.
fn merge(a: vec4f, b: vec4f) -> vec4f {
  let count = a.x + b.x;
  if (b.x == 0) { return a; }
  if (a.x == 0) { return b; }
  let apart = b.y - a.y;
  return vec4f(count, a.y + apart * (b.x / count), a.z + b.z + apart * apart * (a.x * (b.x / count)), 0);
}
`;

const merge = `${mergeSource}
var<workgroup> lanes: array<vec4f, 256>;
fn mergeLanes(local: vec3u, mine: vec4f) -> vec4f {
  lanes[local.y * 32u + local.x] = mine;
  workgroupBarrier();
  var all = mine;
  for (var lane = 1u; lane < 8u; lane++) { all = merge(all, lanes[lane * 32u + local.x]); }
  return all; // complete only in lane 0
}
`;

/**
 * Batch norm's statistics: count, mean and sum of squared deviations of the product for each step and channel, over a part of the rows.
 * Slices of the batch are merged one after the other.
 *
 * @returns a kernel that writes `parts` [currentSteps, parts, CP]
 */
export function statistics(shape: NeuronShape): Kernel {
  return defineKernel(
    'statistics',
    () => shape.currentSteps * Math.ceil(shape.channels / 32) * statisticsParts(shape),
    { ...currentBindings({ ...shape, norm: false }), parts: 'write vec4f' },
    `${currentSource({ ...shape, norm: false })}${merge}
const PARTS = ${statisticsParts(shape)}u;
${entryPoint('32, 8')}
  let step = group / PARTS / WORDS;
  if (step >= CURRENT_STEPS) { return; }
  let part = group % PARTS;
  let channel = group / PARTS % WORDS * 32u + local.x;
  loadWeights(channel);
  // Deviations from the thread's first value do not cancel as squares of the values themselves would.
  var first = 0.0;
  var count = 0.0;
  var sum = 0.0;
  var squares = 0.0;
  for (var row = part * 8u + local.y; row < batch.samples * PIXELS; row += PARTS * 8u) {
    let value = productAt(row / PIXELS * CURRENT_STEPS + step, row % PIXELS, channel);
    if (count == 0) { first = value; }
    let apart = value - first;
    sum += apart;
    squares += apart * apart;
    count += 1;
  }
  let most = max(count, 1);
  let all = mergeLanes(local, vec4f(count, first + sum / most, squares - sum * (sum / most), 0));
  if (local.y > 0u) { return; }
  let at = (step * PARTS + part) * CP + channel;
  if (batch.slice == 0u) { parts[at] = all; } else { parts[at] = merge(parts[at], all); }
}
`,
    countNeuronFlop({ ...shape, steps: shape.currentSteps }, 5),
  );
}

/**
 * Merges the parts of each step and channel.
 *
 * @returns a kernel that reads `parts` and `norm` (weight and bias, [2, CP]), and writes `table` [currentSteps, CP]: mean,
 *   1 / √(variance + ε), weight, bias; and `observed` [currentSteps, CP]: mean and unbiased variance
 */
export function normTable(shape: NeuronShape, epsilon: number): Kernel {
  const cp = padded(shape.channels);
  return defineKernel(
    'norm table',
    () => (shape.currentSteps * cp) / 32,
    { parts: 'read vec4f', norm: 'read f32', table: 'write vec4f', observed: 'write vec2f' },
    `${constants({ CP: cp, STEPS: shape.currentSteps, PARTS: statisticsParts(shape) }, { EPSILON: epsilon })}${merge}
${entryPoint('32, 8')}
  let step = group / (CP / 32u);
  if (step >= STEPS) { return; }
  let channel = group % (CP / 32u) * 32u + local.x;
  var mine = vec4f();
  for (var part = local.y; part < PARTS; part += 8u) { mine = merge(mine, parts[(step * PARTS + part) * CP + channel]); }
  let all = mergeLanes(local, mine);
  if (local.y > 0u) { return; }
  table[step * CP + channel] = vec4f(all.y, 1 / sqrt(all.z / all.x + EPSILON), norm[channel], norm[CP + channel]);
  observed[step * CP + channel] = vec2f(all.y, all.z / (all.x - 1));
}
`,
  );
}

/**
 * `running = (1 − m) · running + m · observed`, step after step, as PyTorch's BatchNorm does; `running` holds mean and variance, [2, CP].
 */
export function updateRunning(channels: number, steps: number, momentum: number): Kernel {
  return defineKernel(
    'running statistics',
    () => padded(channels) / 32,
    { observed: 'read vec2f', running: 'write f32' },
    `${constants({ CP: padded(channels), STEPS: steps }, { MOMENTUM: momentum })}
${entryPoint('32')}
  let channel = group * 32u + local.x;
  if (channel >= CP) { return; }
  var values = vec2f(running[channel], running[CP + channel]);
  for (var step = 0u; step < STEPS; step++) {
    values = values * (1 - MOMENTUM) + observed[step * CP + channel] * MOMENTUM;
  }
  running[channel] = values.x;
  running[CP + channel] = values.y;
}
`,
  );
}

/** The table of evaluation, from the running statistics: one row for all steps. */
export function frozenTable(channels: number, epsilon: number): Kernel {
  return defineKernel(
    'frozen norm table',
    () => padded(channels) / 32,
    { running: 'read f32', norm: 'read f32', table: 'write vec4f' },
    `${constants({ CP: padded(channels) }, { EPSILON: epsilon })}
${entryPoint('32')}
  let channel = group * 32u + local.x;
  if (channel >= CP) { return; }
  let deviation = sqrt(running[CP + channel] + EPSILON);
  table[channel] = vec4f(running[channel], 1 / deviation, norm[channel], norm[CP + channel]);
}
`,
  );
}
