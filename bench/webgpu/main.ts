import process from 'node:process';
import { parseArgs } from 'node:util';
import { describeError, hasErrorCode, ReproError } from '../../src/base/errors.ts';
import { ShapeError } from '../../src/formats/tensor.ts';
import { findAdapter } from '../../src/network/engines/webgpu/adapters.ts';
import type { Program } from '../../src/network/engines/webgpu/program.ts';
import type { Workload } from '../train/workload.ts';
import { costsOf, gpus, type KernelCost, millisecondsAtPeak, planStep } from './costs.ts';
import { measure } from './measure.ts';
import { type Places, writeReport } from './report.ts';
import { describeKernels } from './roofline.ts';

const help = `Prints what a training step of the thesis' network on a GPU consists of, kernel by kernel: dispatches, operations, memory traffic and
memory of a workgroup; and how long each would take at the peak of some GPUs, whichever of arithmetic and memory takes longer.
Operations of products include the channels that fill up blocks of 32; those of neurons are counted by hand. Traffic counts every
buffer of a dispatch once, as if caches caught all else. Without --measure it needs no GPU.

With --report it measures everything on the GPU that REPRO_GPU names, or the first, in about ten minutes, and writes one Markdown file.

Usage: npm run bench:webgpu -- [--batch N] [--tau WHAT] [--passes] [--measure NAME] [--report FILE] [--size N] [--channels N] [--layers N] [--steps N]
  --batch N       samples, or several as 4,16 (default 16; of a report 4,16,32)
  --tau WHAT      layer or neuron (default neuron)
  --passes        also print each dispatch with its buffers, and the size of all buffers
  --measure NAME  also run each kernel on the GPU whose name contains NAME, compared with fused multiply-adds and with copying
  --json          print only what --measure finds, as JSON
  --report FILE   write a report on the machine, parity, speed beside the native engine and PyTorch, kernels, and what to do next
  --size, --channels, --layers, --steps N
                  another network (default: the thesis', 128, 128, 5, 20; of a report on a device in software a smaller one)`;

interface BenchPlaces extends Places {
  readonly args: readonly string[];
}

const thesis = { size: '128', channels: '128', layers: '5', steps: '20', batches: '4,16,32' };
/** What a device in software does in a few minutes. */
const small = { size: '32', channels: '64', layers: '3', steps: '8', batches: '4,8' };

/** @throws {ReproError} `usage` if it is not a whole number of at least 1 */
function readCount(option: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new ReproError('usage', `--${option} must be a whole number of at least 1, got ${text}`);
}

const badArguments = ['UNKNOWN_OPTION', 'INVALID_OPTION_VALUE', 'UNEXPECTED_POSITIONAL'].map(
  (code) => `ERR_PARSE_ARGS_${code}`,
);

export async function main(places: BenchPlaces): Promise<void> {
  try {
    await run(places);
  } catch (error) {
    const isUsage = error instanceof ReproError || error instanceof ShapeError;
    if (!isUsage && !hasErrorCode(error, ...badArguments)) throw error;
    console.error(describeError(error));
    process.exitCode = 2;
  }
}

async function run({ args, ...places }: BenchPlaces): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ batch: text, tau: { ...text, default: 'neuron' }, measure: text, report: text },
      ...{ size: text, channels: text, layers: text, steps: text },
      passes: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const { tau, measure: wanted, report } = values;
  if (tau !== 'layer' && tau !== 'neuron')
    throw new ReproError('usage', `--tau must be layer or neuron, got ${tau}`);
  const environment = wanted === undefined ? process.env : { REPRO_GPU: wanted };
  const found = wanted === undefined && report === undefined ? undefined : await findAdapter({ environment });
  if (found?.ok === false) throw new ReproError('no-gpu', found.reason, { fix: found.fix ?? undefined });
  const adapter = found?.adapter;
  const usual = report !== undefined && adapter?.isSoftware ? small : thesis;
  const batches = (values.batch ?? (report === undefined ? '16' : usual.batches))
    .split(',')
    .map((one) => readCount('batch', one));
  const workload: Workload = {
    ...{ gain: 1, input: 'blob', tau, batch: Math.max(...batches) },
    steps: readCount('steps', values.steps ?? usual.steps),
    size: readCount('size', values.size ?? usual.size),
    channels: readCount('channels', values.channels ?? usual.channels),
    layers: readCount('layers', values.layers ?? usual.layers),
  };
  if (adapter !== undefined && report !== undefined) {
    await writeReport({ file: report, adapter, workload, batches, ...places });
    return;
  }
  const { plan, program } = planStep(workload);
  for (const samples of batches) {
    if (!values.json) {
      console.log(
        `A training step of ${samples} samples [${[workload.steps, 2, workload.size, workload.size].join(', ')}]: ` +
          `${(program.countBytes(samples, samples) / 1e9).toFixed(2)} GB besides the parameters`,
      );
      printKernels(program, samples);
      if (values.passes) printPasses(program, samples);
    }
    if (adapter === undefined) continue;
    const measured = await measure(adapter, plan, program, samples);
    if (values.json) console.log(JSON.stringify(measured));
    else console.log(`\n${adapter.name}, ${adapter.driver}\n${describeKernels(measured)}`);
  }
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

/** What the kernel declares in workgroup memory. */
function workgroupBytes(code: string): number {
  const bytes: Readonly<Record<string, number>> = { f32: 4, 'atomic<u32>': 4, vec2f: 8, vec4f: 16 };
  return [...code.matchAll(/var<workgroup> \w+: (?:array<([\w<>]+), (\d+)>|([\w<>]+));/g)].reduce(
    (sum, [, item = '', count = '1', alone = '']) => sum + (bytes[item || alone] ?? 0) * Number(count),
    0,
  );
}

/** Right-aligned columns, but those of text. */
function printTable(rows: readonly (readonly string[])[], texts: readonly number[] = [0]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, i) => (texts.includes(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    );
  }
}
