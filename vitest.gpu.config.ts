import { availableParallelism } from 'node:os';
import process from 'node:process';
import { defineConfig } from 'vitest/config';
import { quickLlvmpipe } from './test/support/llvmpipe.ts';

// The WebGPU engine, on Mesa's software device (Debian: `mesa-vulkan-drivers`) or the GPU that `REPRO_GPU` names. Compiling its kernels for a
// processor takes minutes, so this is a script of its own: `npm run test:gpu`.
export default defineConfig({
  test: {
    include: ['test/network/engines/session.test.ts', 'test/network/engines/webgpu/**/*.test.ts'],
    env: { ...quickLlvmpipe, REPRO_GPU: process.env.REPRO_GPU ?? 'llvmpipe' },
    isolate: false,
    // By default one core is left free, which is half of two.
    maxWorkers: availableParallelism(),
    reporters: ['default', './test/support/plain-count-reporter.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
