import { availableParallelism } from 'node:os';
import process from 'node:process';
import { defineConfig } from 'vitest/config';

// The WebGPU engine, on Mesa's software device (Debian: `mesa-vulkan-drivers`) or the GPU that `REPRO_GPU` names. Compiling its kernels for a
// processor takes minutes, so this is a script of its own: `npm run test:gpu`.
export default defineConfig({
  test: {
    include: ['test/network/engines/session.test.ts', 'test/network/engines/webgpu/**/*.test.ts'],
    env: {
      REPRO_GPU: process.env.REPRO_GPU ?? 'llvmpipe',
      // Of the software device: it compiles in half the time for narrow vectors and without optimisation.
      LP_NATIVE_VECTOR_WIDTH: '128',
      GALLIVM_PERF: 'nopt',
    },
    isolate: false,
    // By default one core is left free, which is half of two.
    maxWorkers: availableParallelism(),
    reporters: ['default', './test/support/plain-count-reporter.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
