import process from 'node:process';
import type { Engine } from '../../../src/engines/engine.ts';
import { findAdapter, openGpu } from '../../../src/engines/webgpu/adapters.ts';
import { createWebgpuEngine } from '../../../src/engines/webgpu/engine.ts';

// Nearly all the time of these tests goes into compiling kernels: half as much for narrow vectors, and without optimisation.
process.env.LP_NATIVE_VECTOR_WIDTH = '128';
process.env.GALLIVM_PERF = 'nopt';

/**
 * Mesa's device that computes on the CPU, whatever GPU there may be: tests give the same numbers everywhere. Undefined where it is not installed;
 * tests are skipped then, except where `REPRO_TEST_GPU` says that it is.
 */
export const device = await openSoftware();
// A process that ends with an open device crashes at times. Files share the process, and so the device.
process.once('exit', () => device?.destroy());

async function openSoftware(): Promise<GPUDevice | undefined> {
  const found = await findAdapter({ isAsked: true, environment: { REPRO_GPU: 'llvmpipe' } });
  const opened = found.ok ? await openGpu(found.adapter) : found;
  if (opened.ok) return opened.gpu.device;
  if (process.env.REPRO_TEST_GPU === undefined) return undefined;
  throw new Error(`${opened.reason}: ${opened.fix}`);
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
