import { ReproError } from '../../src/base/errors.ts';
import {
  allocateArenas,
  allocateProgram,
  type ComputeDevice,
  PreparedProgram,
  sliceSamples,
} from '../../src/network/engines/webgpu/device.ts';
import { constants, defineKernel, entryPoint } from '../../src/network/engines/webgpu/kernels/kernel.ts';
import type { NetworkPlan } from '../../src/network/engines/webgpu/plan.ts';
import { type Pass, Program } from '../../src/network/engines/webgpu/program.ts';
import { costOf } from './costs.ts';

/** Right-aligned columns, but those of text. */
export function printTable(rows: readonly (readonly string[])[], texts: readonly number[] = [0]): void {
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

/** The side of the plain product's matrices, and the values that are copied. */
const SIDE = 512;
const COPIED = 2 ** 25;

/** Of a dispatch one after the other, so that submitting and waiting do not count. */
const REPEATS = 20;

/** A product as in a textbook: a tile of 16 x 16 in workgroup memory, one result for each thread. */
const plainProduct = defineKernel(
  'plain tiled product',
  () => (SIDE / 16) ** 2,
  { a: 'read f32', b: 'read f32', c: 'write f32' },
  `${constants({ SIDE })}
var<workgroup> left: array<f32, 256>;
var<workgroup> right: array<f32, 256>;
${entryPoint('16, 16')}
  let row = group / (SIDE / 16u) * 16u + local.y;
  let column = group % (SIDE / 16u) * 16u + local.x;
  var sum = 0.0;
  for (var first = 0u; first < SIDE; first += 16u) {
    left[thread] = a[row * SIDE + first + local.x];
    right[thread] = b[(first + local.y) * SIDE + column];
    workgroupBarrier();
    for (var i = 0u; i < 16u; i++) { sum = fma(left[local.y * 16u + i], right[i * 16u + local.x], sum); }
    workgroupBarrier();
  }
  c[row * SIDE + column] = sum;
}
`,
);

const copy = defineKernel(
  'copying',
  () => COPIED / 256,
  { from_: 'read f32', to: 'write f32' },
  `${entryPoint('256')}
  to[group * 256u + thread] = from_[group * 256u + thread];
}
`,
);

const zeroStep = { stepSize: 0, correction: 1 };

/** Prints the speed of each pass, alone, against the plain kernel that it comes closer to: the product by operations, copying by traffic. */
export async function measure(
  device: ComputeDevice,
  plan: NetworkPlan,
  program: Program,
  samples: number,
): Promise<void> {
  const arenas = await allocateArenas(device, plan.parameters.sizes);
  const perSlice = Math.min(samples, sliceSamples(program, device.mostBytes));
  if (perSlice < samples)
    throw new ReproError('usage', `--batch: at most ${perSlice} samples fit into one buffer of this GPU`);
  const allocation = await allocateProgram(device, program, samples, samples);
  const time = async (pass: Pass, inside: typeof allocation): Promise<number> => {
    const alone = new Program();
    for (let i = 0; i < REPEATS; i++) alone.add('slice', pass.label, pass.kernel, pass.buffers);
    const prepared = await PreparedProgram.prepare(device, alone, inside, arenas);
    const times: number[] = [];
    for (let i = 0; i < 4; i++) {
      const start = performance.now();
      await device.guard(() => prepared.submit(samples, zeroStep));
      await device.device.queue.onSubmittedWorkDone();
      times.push(performance.now() - start);
    }
    prepared.dispose();
    return Math.min(...times.slice(1)) / REPEATS;
  };

  const plain = new Program();
  const square = (name: string) => plain.space('fixed', name, SIDE * SIDE);
  const long = (name: string) => plain.space('fixed', name, COPIED);
  const product: Pass = {
    kernel: plainProduct,
    label: '',
    buffers: { a: square('a'), b: square('b'), c: square('c') },
  };
  const copying: Pass = {
    kernel: copy,
    label: '',
    buffers: { from_: long('from'), to: long('to') },
  };
  const own = await allocateProgram(device, plain, samples, samples);
  const productSpeed = (2 * SIDE ** 3) / (await time(product, own)) / 1e6;
  const copySpeed = (8 * COPIED) / (await time(copying, own)) / 1e6;
  console.log(`plain tiled product ${productSpeed.toFixed(2)} GFLOP/s, copying ${copySpeed.toFixed(2)} GB/s`);

  const rows: string[][] = [['kernel', 'layer', 'ms', 'GFLOP/s', 'GB/s', 'of plain']];
  let total = 0;
  for (const { passes } of program.phases) {
    for (const pass of passes) {
      const milliseconds = await time(pass, allocation);
      total += milliseconds;
      const { flop, bytes } = costOf(pass, samples);
      const [arithmetic, traffic] = [flop / milliseconds / 1e6, bytes / milliseconds / 1e6];
      rows.push([
        pass.kernel.name,
        pass.label,
        milliseconds.toFixed(2),
        arithmetic.toFixed(2),
        traffic.toFixed(2),
        `${Math.max(arithmetic / productSpeed, traffic / copySpeed).toFixed(2)} x`,
      ]);
    }
  }
  printTable(rows);
  console.log(`${total.toFixed(0)} ms in all, one after the other`);
}
