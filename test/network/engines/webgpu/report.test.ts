import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { expect, test, vi } from 'vitest';
import { ask, isDocument } from '../../../../bench/ask.ts';
import type { Workload } from '../../../../bench/train/workload.ts';
import { planStep } from '../../../../bench/webgpu/costs.ts';
import { measure } from '../../../../bench/webgpu/measure.ts';
import { writeParts } from '../../../../bench/webgpu/report.ts';
import { describeKernels, describeNext, type Measured } from '../../../../bench/webgpu/roofline.ts';
import { findAdapter } from '../../../../src/network/engines/webgpu/adapters.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { hasDevice } from './support.ts';

/** On a device of 1 TFLOP/s and 100 GB/s, what takes 10 ms at its ceiling. */
const product = { flop: 1e10, bytes: 1e8 };
const sweep = { flop: 1e8, bytes: 1e9 };
const measured: Measured = {
  ...{ samples: 4, clock: 'timestamps', flops: 1e12, bandwidth: 1e11 },
  passes: [
    { kernel: 'product', label: 'conv.4', milliseconds: 20, ...product },
    { kernel: 'input gradient', label: 'conv.8', milliseconds: 40, ...product },
    { kernel: 'input gradient', label: 'conv.4', milliseconds: 60, ...product },
    { kernel: 'fire', label: 'conv.2', milliseconds: 12.5, ...sweep },
    { kernel: 'vote', label: 'vote', milliseconds: 1, flop: 0, bytes: 1e3 },
  ],
};

const tiny: Workload = {
  ...{ gain: 1, input: 'blob', tau: 'neuron', batch: 2 },
  ...{ steps: 4, size: 16, channels: 32, layers: 2 },
};

test('the report of a GPU names its three dearest kernels and the one furthest from its roofline, layer by layer', () => {
  const text = describeNext(measured);
  expect(text).toContain('| input gradient | 100 | 75 % | 0.2 | 2 | arithmetic | 20 | 20 % |');
  expect(text).toContain('| fire | 12.5 | 9.4 % | 0.008 | 80 | memory | 10 | 80 % |');
  expect(text).not.toContain('vote');
  expect(text).toContain(
    'Furthest from its roofline is **input gradient**, at 20 % of the ceiling of arithmetic',
  );
  // Of 133.5 ms, 100 become 20.
  expect(text).toContain('53.5 ms');
  expect(text.indexOf('| conv.4 | 60 |')).toBeLessThan(text.indexOf('| conv.8 | 40 |'));
});

test('the report of a GPU says how its kernels were timed', () => {
  expect(describeKernels(measured)).toContain('**30 % of the ceilings**');
  expect(describeKernels({ ...measured, clock: 'each alone' })).toContain('no `timestamp-query`');
});

test('a part of the report that fails or hangs is named in its place, and the others stay', async () => {
  vi.spyOn(console, 'log').mockReturnValue();
  const file = path.join(await temporaryFolder(), 'report.md');
  const node = (code: string) => ask(process.execPath, ['-e', code], { seconds: 1 });
  await writeParts(file, '# GPU\n', {
    One: async () => 'fine',
    Two: () => node('console.error("warning\\nout of memory"); process.exit(1)'),
    Three: () => node('setInterval(() => {}, 1000)'),
    Four: () => node('process.kill(process.pid, "SIGABRT")'),
    'Four, whole': () =>
      ask(process.execPath, ['-e', 'console.log("{}"); process.abort()'], {
        seconds: 9,
        isWhole: isDocument,
      }),
    Five: () => node('console.log("fine, too")'),
  });
  expect(await readFile(file, 'utf8')).toBe(`# GPU

## One

fine

## Two

**Not measured:** out of memory

## Three

**Not measured:** it took more than 1 s and was ended

## Four

**Not measured:** it was ended by SIGABRT

## Four, whole

{}

## Five

fine, too
`);
});

test.runIf(hasDevice)(
  'each dispatch of a training step on a GPU is timed, and what simple kernels reach at most',
  async () => {
    const found = await findAdapter({});
    if (!found.ok) throw new Error(found.reason);
    const { plan, program } = planStep(tiny);
    const { flops, bandwidth, passes } = await measure(found.adapter, plan, program, 2);
    const kernels = program.phases.flatMap((phase) => phase.passes.map(({ kernel }) => kernel.name));
    expect(passes.map(({ kernel }) => kernel)).toEqual(kernels);
    for (const time of [flops, bandwidth, ...passes.map(({ milliseconds }) => milliseconds)]) {
      expect(time).toBeGreaterThan(0);
      expect(time).toBeLessThan(Number.POSITIVE_INFINITY);
    }
  },
);
