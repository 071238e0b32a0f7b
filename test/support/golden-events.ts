import type { Events } from '../../src/events/events.ts';
import { type GoldenCase, loadGolden } from './golden.ts';

/** An int64 tensor of a golden case as numbers. */
export function goldenIntegers(golden: GoldenCase, name: string): number[] {
  const tensor = golden.tensors.get(name);
  if (tensor?.dtype !== 'I64') throw new Error(`no int64 tensor "${name}"`);
  return Array.from(tensor.data, Number);
}

/** The events (t, x, y, p) of a golden case. */
export function goldenEvents(name: string): Events {
  const golden = loadGolden(name);
  return {
    tUs: Float64Array.from(goldenIntegers(golden, 't')),
    x: Uint16Array.from(goldenIntegers(golden, 'x')),
    y: Uint16Array.from(goldenIntegers(golden, 'y')),
    p: Uint8Array.from(goldenIntegers(golden, 'p')),
  };
}
