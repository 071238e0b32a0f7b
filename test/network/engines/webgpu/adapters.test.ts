import { describe, expect, test } from 'vitest';
import {
  type Adapter,
  findAdapter,
  type GpuSystem,
  listAdapters,
  openGpu,
} from '../../../../src/network/engines/webgpu/adapters.ts';
import { fakeGpus, fakeLimits } from './fake-gpus.ts';

const fast = { name: 'Fast 4090' };
const slow = { name: 'Slow 610' };
const software = { name: 'llvmpipe (LLVM 19)', isSoftware: true };
const machine = fakeGpus([software, fast, slow]);

async function adaptersOf(system: GpuSystem): Promise<readonly Adapter[]> {
  const listed = await listAdapters(system);
  if (!listed.ok) throw new Error(listed.reason);
  return listed.adapters;
}

describe('listing adapters', () => {
  test('puts hardware before software, and one of those with equal names', async () => {
    const found = await adaptersOf(fakeGpus([software, fast, fast, slow]));
    expect(found.map(({ name }) => name)).toEqual(['Fast 4090', 'Slow 610', 'llvmpipe (LLVM 19)']);
    expect(found[0]).toEqual({
      name: 'Fast 4090',
      driver: 'driver of Fast 4090',
      isSoftware: false,
      limits: fakeLimits,
      identity: '1.2.3 Fast 4090, driver of Fast 4090',
    });
  });

  const failing = (platform: string, message: string, code?: string): GpuSystem => ({
    ...machine,
    platform,
    load: async () => {
      throw Object.assign(new Error(message), { code });
    },
  });

  test.each<[string, GpuSystem, RegExp, RegExp | null]>([
    [
      'the package is not installed',
      failing('linux-x64', "Cannot find module 'webgpu/package.json'", 'MODULE_NOT_FOUND'),
      /^the package webgpu is not installed$/,
      /npm ci/,
    ],
    [
      'the package has no binary for this machine',
      failing('freebsd-x64', "Cannot find module '/x/webgpu/dist/freebsd-x64/dawn.node'", 'MODULE_NOT_FOUND'),
      /does not exist for freebsd-x64$/,
      null,
    ],
    [
      'the C++ library is too old',
      failing(
        'linux-x64',
        "libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by …)\n",
        'ERR_DLOPEN_FAILED',
      ),
      /needs newer C libraries \(GLIBCXX_3\.4\.30\)$/,
      /glibc 2\.34 .*container/,
    ],
    [
      'the library does not load',
      failing('linux-x64', 'libm.so.6: cannot open shared object file\nmore', 'ERR_DLOPEN_FAILED'),
      /does not load \(libm\.so\.6: cannot open shared object file\)$/,
      /npm ci/,
    ],
    ['there is no driver', fakeGpus([]), /^WebGPU finds no GPU$/, /Vulkan loader .* capability `graphics`/],
    ['there is none on macOS', { ...fakeGpus([]), platform: 'darwin-arm64' }, /no GPU$/, null],
  ])('says so if %s, and what helps', async (_, system, reason, fix) => {
    expect(await listAdapters(system)).toEqual({
      ok: false,
      reason: expect.stringMatching(reason),
      fix: fix && expect.stringMatching(fix),
    });
  });
});

describe('the adapter to compute on', () => {
  const find = (gpuSystem: GpuSystem, REPRO_GPU: string) =>
    findAdapter({ gpuSystem, environment: { REPRO_GPU } });

  test('is the first that is hardware, or the one that REPRO_GPU names', async () => {
    for (const unset of ['', ' '])
      expect(await find(machine, unset)).toMatchObject({ adapter: { name: 'Fast 4090' } });
    expect(await find(machine, 'slow')).toMatchObject({ adapter: { name: 'Slow 610' } });
    expect(await find(machine, 'radeon')).toEqual({
      ok: false,
      reason: 'no GPU is called REPRO_GPU=radeon',
      fix: 'Set it to a part of one of these names: Fast 4090, Slow 610, llvmpipe (LLVM 19).',
    });
  });

  test('is software only if REPRO_GPU names it', async () => {
    const none = fakeGpus([software]);
    expect(await find(none, 'llvmpipe')).toMatchObject({ ok: true, adapter: { isSoftware: true } });
    expect(await find(none, '')).toEqual({
      ok: false,
      reason: 'there is only llvmpipe (LLVM 19), which is software',
      fix: expect.stringMatching(/driver .* REPRO_GPU=llvmpipe computes on it/),
    });
  });
});

describe('opening a GPU', () => {
  test('gives its device all limits that it has, once, until it is lost', async () => {
    const requested: GPUDeviceDescriptor[] = [];
    const system = fakeGpus([fast], requested);
    const [adapter] = await adaptersOf(system);
    const first = await openGpu(adapter!, system);
    expect(first).toMatchObject({ ok: true, gpu: { name: 'Fast 4090', device: expect.anything() } });
    expect(await openGpu(adapter!, system)).toBe(first);
    expect(requested).toEqual([{ requiredLimits: fakeLimits }]);
    system.lose();
    await new Promise(setImmediate);
    expect(await openGpu(adapter!, system)).not.toBe(first);
  });

  test('says why a device is refused, and tries again when asked again', async () => {
    const system = fakeGpus([{ ...slow, refuses: 'no memory\n - more' }]);
    const [adapter] = await adaptersOf(system);
    expect(await openGpu(adapter!, system)).toEqual({
      ok: false,
      reason: 'Slow 610 cannot be opened (no memory)',
      fix: expect.stringContaining('driver'),
    });
    expect(await openGpu(adapter!, fakeGpus([slow]))).toMatchObject({ ok: true });
  });
});
