import { plainTraining } from '../../src/network/engines/webgpu/forward.ts';
import { NetworkPlan } from '../../src/network/engines/webgpu/plan.ts';
import type { Pass, Program } from '../../src/network/engines/webgpu/program.ts';
import { thesisNetwork, type Workload } from '../train/workload.ts';

/** A network's plan, and its training step. */
export function planStep(workload: Workload): { readonly plan: NetworkPlan; readonly program: Program } {
  const plan = new NetworkPlan(thesisNetwork(workload));
  return { plan, program: plan.program({ steps: workload.steps, type: 'uint8', training: plainTraining }) };
}

/** What a GPU does with one kernel in a training step. */
export interface KernelCost {
  readonly name: string;
  readonly dispatches: number;
  /** Floating-point operations, of products and sweeps over neurons, with the channels that fill up blocks. */
  readonly flop: number;
  /** Memory traffic: every buffer of a dispatch once, as if caches caught all else. */
  readonly bytes: number;
}

/** What each kernel does for a batch that is not sliced. */
export function costsOf({ phases }: Program, samples: number): readonly KernelCost[] {
  const all = new Map<string, KernelCost>();
  for (const pass of phases.flatMap(({ passes }) => passes)) {
    const cost = costOf(pass, samples);
    const { dispatches, flop, bytes } = all.get(cost.name) ?? { dispatches: 0, flop: 0, bytes: 0 };
    all.set(cost.name, {
      name: cost.name,
      dispatches: dispatches + 1,
      flop: flop + cost.flop,
      bytes: bytes + cost.bytes,
    });
  }
  return [...all.values()];
}

/** Of one dispatch. */
export function costOf({ kernel, buffers }: Pass, samples: number): KernelCost {
  let bytes = 0;
  for (const space of Object.values(buffers)) {
    const count = space.kind === 'arena' ? space.size : space.values;
    bytes += 4 * count * (space.kind === 'arena' || space.kind === 'fixed' ? 1 : samples);
  }
  return { name: kernel.name, dispatches: 1, flop: kernel.flop * samples, bytes };
}

/** Peak single-precision speed and memory bandwidth, as their makers state them: TFLOP/s, GB/s; and the word by which adapters are recognised. */
export const gpus = [
  { name: 'H100 SXM', word: 'H100', flops: 66.9, bandwidth: 3350 },
  { name: 'RTX 4090', word: '4090', flops: 82.6, bandwidth: 1008 },
  { name: 'RTX 3060', word: '3060', flops: 12.7, bandwidth: 360 },
  { name: 'M3 Max', word: 'M3 Max', flops: 14.1, bandwidth: 400 },
  { name: 'Radeon 780M', word: '780M', flops: 8.3, bandwidth: 102 },
] as const;

export function millisecondsAtPeak(
  { flop, bytes }: KernelCost,
  { flops, bandwidth }: (typeof gpus)[number],
): number {
  return Math.max(flop / (flops * 1e9), bytes / (bandwidth * 1e6));
}
