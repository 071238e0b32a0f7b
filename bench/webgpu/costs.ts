import type { Pass, Program } from '../../src/network/engines/webgpu/program.ts';

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
