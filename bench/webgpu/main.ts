import process from 'node:process';
import { parseArgs } from 'node:util';
import { describeError, hasErrorCode, ReproError } from '../../src/base/errors.ts';
import { ShapeError } from '../../src/formats/tensor.ts';
import { listAdapters, openGpu } from '../../src/network/engines/webgpu/adapters.ts';
import { ComputeDevice } from '../../src/network/engines/webgpu/device.ts';
import { plainTraining } from '../../src/network/engines/webgpu/forward.ts';
import { NetworkPlan } from '../../src/network/engines/webgpu/plan.ts';
import type { Program } from '../../src/network/engines/webgpu/program.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { costsOf, type KernelCost } from './costs.ts';
import { measure, printTable } from './measure.ts';

const help = `Prints what a training step of the thesis' network on a GPU consists of, kernel by kernel: dispatches, operations, memory traffic and
memory of a workgroup; and how long each would take at the peak of some GPUs, whichever of arithmetic and memory takes longer.
Operations of products include the channels that fill up blocks of 32; those of neurons are counted by hand. Traffic counts every
buffer of a dispatch once, as if caches caught all else. Without --measure it needs no GPU.

Usage: npm run bench:webgpu -- [--batch N] [--tau WHAT] [--passes] [--measure NAME] [--size N] [--channels N] [--layers N] [--steps N]
  --batch N       samples (default 16)
  --tau WHAT      layer or neuron (default neuron)
  --passes        also print each dispatch with its buffers, and the size of all buffers
  --measure NAME  also run each kernel on the GPU whose name contains NAME, compared with a plain tiled product and with copying
  --size, --channels, --layers, --steps N
                  another network (default: the thesis', 128, 128, 5, 20)`;

/** Peak single-precision speed and memory bandwidth, as their makers state them: TFLOP/s, GB/s. */
const gpus = [
  { name: 'H100 SXM', flops: 66.9, bandwidth: 3350 },
  { name: 'RTX 4090', flops: 82.6, bandwidth: 1008 },
  { name: 'RTX 3060', flops: 12.7, bandwidth: 360 },
  { name: 'M3 Max', flops: 14.1, bandwidth: 400 },
  { name: 'Radeon 780M', flops: 8.3, bandwidth: 102 },
] as const;

/** @throws {ReproError} `usage` if it is not a whole number of at least 1 */
function readCount(option: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new ReproError('usage', `--${option} must be a whole number of at least 1, got ${text}`);
}

const badArguments = ['UNKNOWN_OPTION', 'INVALID_OPTION_VALUE', 'UNEXPECTED_POSITIONAL'].map(
  (code) => `ERR_PARSE_ARGS_${code}`,
);

export async function main(args: readonly string[]): Promise<void> {
  try {
    await run(args);
  } catch (error) {
    const isUsage = error instanceof ReproError || error instanceof ShapeError;
    if (!isUsage && !hasErrorCode(error, ...badArguments)) throw error;
    console.error(describeError(error));
    process.exitCode = 2;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ batch: { ...text, default: '16' }, tau: { ...text, default: 'neuron' }, measure: text },
      ...{ size: { ...text, default: '128' }, channels: { ...text, default: '128' } },
      ...{ layers: { ...text, default: '5' }, steps: { ...text, default: '20' } },
      passes: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const { tau, measure: wanted } = values;
  if (tau !== 'layer' && tau !== 'neuron')
    throw new ReproError('usage', `--tau must be layer or neuron, got ${tau}`);
  const samples = readCount('batch', values.batch);
  const steps = readCount('steps', values.steps);
  const size = readCount('size', values.size);
  const spec = buildNetwork({
    ...{ input: [2, size, size], classes: 11, dropout: 0.5, votes: 10 },
    channels: readCount('channels', values.channels),
    layers: readCount('layers', values.layers),
    neuron: 'plif',
    tau: { per: tau, mean: 2, std: tau === 'layer' ? 0 : 0.1 },
    ...{ threshold: 1, reset: { kind: 'hard', potential: 0, detach: true }, pooling: 'max' },
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
  });
  const plan = new NetworkPlan(spec);
  const program = plan.program({ steps, type: 'uint8', training: plainTraining });
  console.log(
    `A training step of ${samples} samples [${[steps, ...spec.input].join(', ')}]: ` +
      `${(program.countBytes(samples, samples) / 1e9).toFixed(2)} GB besides the parameters`,
  );
  printKernels(program, samples);
  if (values.passes) printPasses(program, samples);
  if (wanted === undefined) return;
  const listed = await listAdapters();
  if (!listed.ok) throw new ReproError('no-gpu', listed.reason, { fix: listed.fix ?? undefined });
  const adapter = listed.adapters.find(({ name }) => name.toLowerCase().includes(wanted.toLowerCase()));
  if (adapter === undefined) {
    const names = listed.adapters.map(({ name }) => name).join(', ');
    throw new ReproError('usage', `--measure ${wanted}: no GPU is called so; there is ${names}`);
  }
  const opened = await openGpu(adapter);
  if (!opened.ok) throw new ReproError('no-gpu', opened.reason, { fix: opened.fix ?? undefined });
  console.log(`\n${adapter.name}, ${adapter.driver}, Node ${process.versions.node}`);
  await measure(new ComputeDevice(opened.gpu.device), plan, program, samples);
}

function printKernels(program: Program, samples: number): void {
  const costs = costsOf(program, samples);
  const passes = program.phases.flatMap((phase) => phase.passes);
  const codeOf = (name: string) => passes.find(({ kernel }) => kernel.name === name)?.kernel.code ?? '';
  const header = [
    'kernel',
    'dispatches',
    'GFLOP',
    'MB',
    'workgroup',
    ...gpus.map(({ name }) => `ms ${name}`),
  ];
  const rows = costs.map((cost) => [
    cost.name,
    String(cost.dispatches),
    (cost.flop / 1e9).toFixed(1),
    (cost.bytes / 1e6).toFixed(0),
    `${(workgroupBytes(codeOf(cost.name)) / 1024).toFixed(1)} KB`,
    ...gpus.map((gpu) => millisecondsAtPeak(cost, gpu).toFixed(2)),
  ]);
  const sum = (of: (cost: KernelCost) => number) => costs.reduce((total, cost) => total + of(cost), 0);
  const total = [
    'all',
    String(sum(({ dispatches }) => dispatches)),
    sum(({ flop }) => flop / 1e9).toFixed(1),
    sum(({ bytes }) => bytes / 1e6).toFixed(0),
    '',
    ...gpus.map((gpu) => sum((cost) => millisecondsAtPeak(cost, gpu)).toFixed(1)),
  ];
  const ofSample = [
    'each sample',
    '',
    (sum(({ flop }) => flop / 1e9) / samples).toFixed(1),
    (sum(({ bytes }) => bytes / 1e6) / samples).toFixed(0),
    '',
    ...gpus.map((gpu) => (sum((cost) => millisecondsAtPeak(cost, gpu)) / samples).toFixed(2)),
  ];
  printTable([header, ...rows, total, ofSample]);
}

function printPasses(program: Program, samples: number): void {
  const passes = program.phases.flatMap(({ each, passes }) => passes.map((pass) => ({ each, ...pass })));
  console.log('\nDispatches in their order');
  const rows = [
    ['kernel', 'layer', 'for each', 'groups', 'buffers'],
    ...passes.map(({ each, kernel, label, buffers }) => [
      kernel.name,
      label,
      each,
      String(kernel.groups(samples)),
      Object.entries(buffers)
        .map(([name, space]) => `${name}: ${space.kind === 'arena' ? space.arena : space.name}`)
        .join(', '),
    ]),
  ];
  printTable(rows, [0, 1, 2, 4]);
  console.log('\nBuffers: fixed, or of so many samples');
  printTable([
    ['name', 'kind', 'MB'],
    ...[...program.bytes].map(([name, bytes]) => {
      const kind = program.kinds.get(name) ?? '';
      return [name, kind, ((bytes * (kind === 'fixed' ? 1 : samples)) / 1e6).toFixed(2)];
    }),
  ]);
}

function millisecondsAtPeak(
  { flop, bytes }: KernelCost,
  { flops, bandwidth }: (typeof gpus)[number],
): number {
  return Math.max(flop / (flops * 1e9), bytes / (bandwidth * 1e6));
}

/** What the kernel declares in workgroup memory. */
function workgroupBytes(code: string): number {
  const bytes: Readonly<Record<string, number>> = { f32: 4, 'atomic<u32>': 4, vec2f: 8, vec4f: 16 };
  return [...code.matchAll(/var<workgroup> \w+: (?:array<([\w<>]+), (\d+)>|([\w<>]+));/g)].reduce(
    (sum, [, item = '', count = '1', alone = '']) => sum + (bytes[item || alone] ?? 0) * Number(count),
    0,
  );
}
