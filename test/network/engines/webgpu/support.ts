import process from 'node:process';
import type { Engine } from '../../../../src/network/engines/engine.ts';
import { findAdapter, openGpu } from '../../../../src/network/engines/webgpu/adapters.ts';
import { createWebgpuEngine } from '../../../../src/network/engines/webgpu/engine.ts';

/**
 * The GPU that `REPRO_GPU` names; tests are skipped without. `npm run test:gpu` names Mesa's, which computes on the CPU. Files share the
 * process, and so the device with what it has compiled.
 */
export const device = process.env.REPRO_GPU === undefined ? undefined : await openSoftware();
// A process that ends with an open device crashes at times.
process.once('exit', () => device?.destroy());

async function openSoftware(): Promise<GPUDevice> {
  const found = await findAdapter({});
  const opened = found.ok ? await openGpu(found.adapter) : found;
  if (!opened.ok) throw new Error(`${opened.reason}: ${opened.fix}`);
  return opened.gpu.device;
}

export const hasDevice = device !== undefined;

export function openDevice(): GPUDevice {
  if (device === undefined) throw new Error('there is no software GPU');
  return device;
}

export function engineOn(one: GPUDevice): Engine {
  return createWebgpuEngine({ device: one, identity: 'test' }, 'test');
}

let shared: Engine | undefined;

/** One engine for all tests of a file, so that they share compiled kernels. */
export function webgpuEngine(): Engine {
  shared ??= engineOn(openDevice());
  return shared;
}

/** The device, as if it could bind no larger buffers: batches are computed in slices. */
export function withSmallBuffers(bytes: number): GPUDevice {
  const limits = { maxStorageBufferBindingSize: bytes, maxBufferSize: bytes };
  return new Proxy(openDevice(), {
    get: (target, key) => {
      if (key === 'limits') return limits;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
