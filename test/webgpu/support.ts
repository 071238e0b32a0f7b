import process from 'node:process';
import { afterAll } from 'vitest';
import type { Engine } from '../../src/engines/engine.ts';
import { createWebgpuEngine } from '../../src/engines/webgpu/engine.ts';

/** Mesa's device that computes on the CPU. Another GPU's numbers may differ, and its tests would say little about this one's. */
const ADAPTER = 'llvmpipe';

/** What comes from it crashes the process if it is collected before. */
let gpu: GPU | undefined;

/** Undefined where the package `webgpu` or the software device is not installed: then tests are skipped, except where `PLIF_TEST_GPU` says that both are. */
export const device = await openDevice().catch((error: unknown) => {
  if (process.env.PLIF_TEST_GPU !== undefined) throw error;
  return undefined;
});
// A process that ends with an open device crashes at times.
afterAll(() => device?.destroy());

async function openDevice(): Promise<GPUDevice> {
  const { create } = await import('webgpu');
  gpu = create([`adapter=${ADAPTER}`]);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error(`there is no ${ADAPTER}: install mesa-vulkan-drivers`);
  return adapter.requestDevice();
}

/** One for all tests of a file, so that they share compiled kernels: nearly all their time is spent on compiling. */
export const webgpu = device && engineOn(device);

export function engineOn(one: GPUDevice): Engine {
  return createWebgpuEngine({ device: one, identity: 'test' }, 'test');
}

/** The device, as if it could bind no larger buffers: batches are computed in slices. */
export function withSmallBuffers(bytes: number): GPUDevice {
  if (device === undefined) throw new Error('there is no device');
  const limits = { maxStorageBufferBindingSize: bytes, maxBufferSize: bytes };
  return new Proxy(device, {
    get: (target, key) => {
      if (key === 'limits') return limits;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
