import type { GpuSystem } from '../../../../src/network/engines/webgpu/adapters.ts';

export interface FakeAdapter {
  readonly name: string;
  readonly isSoftware?: boolean;
  /** With what it refuses a device. */
  readonly refuses?: string;
}

/** The limits of every fake adapter. */
export const fakeLimits = {
  maxBufferSize: 2 ** 32,
  maxStorageBufferBindingSize: 2 ** 31,
  maxStorageBuffersPerShaderStage: 16,
  maxComputeWorkgroupStorageSize: 49_152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
} as const;

/** A machine with the package, whose library lists these adapters as Dawn does. `requested` collects the descriptors of devices. */
export function fakeGpus(
  adapters: readonly FakeAdapter[],
  requested: GPUDeviceDescriptor[] = [],
): GpuSystem & { lose(): void } {
  let lose = (): void => {};
  const adapterOf = ({ name, isSoftware = false, refuses }: FakeAdapter): GPUAdapter =>
    ({
      info: { description: `driver of ${name}`, isFallbackAdapter: isSoftware },
      limits: fakeLimits,
      requestDevice: async (descriptor: GPUDeviceDescriptor) => {
        if (refuses !== undefined) throw new Error(refuses);
        requested.push(descriptor);
        const lost = new Promise<void>((resolve) => {
          lose = resolve;
        });
        return { lost, limits: fakeLimits };
      },
    }) as unknown as GPUAdapter;
  const create = ([option = '']: string[]): GPU =>
    ({
      requestAdapter: async () => {
        if (adapters.length === 0) return null;
        const found = adapters.find(({ name }) => name.includes(option.slice('adapter='.length)));
        if (found !== undefined) return adapterOf(found);
        const lines = adapters.map(({ name }) => ` * backend: 'vulkan', name: '${name}'`);
        throw new Error(['no suitable backends found', 'Available adapters:', ...lines].join('\n'));
      },
    }) as unknown as GPU;
  return {
    platform: 'linux-x64',
    load: async () => ({ version: '1.2.3', create }),
    lose: () => lose(),
  };
}
