import type { Events } from '../../src/data/events/events.ts';
import { loadGolden } from './golden.ts';

/** The events (t, x, y, p) of a golden case. */
export function goldenEvents(name: string): Events {
  const { tensors } = loadGolden(name);
  const integers = (column: string): number[] => {
    const tensor = tensors.get(column);
    if (tensor?.dtype !== 'I64') throw new Error(`no int64 tensor "${column}"`);
    return Array.from(tensor.data, Number);
  };
  return {
    tUs: Float64Array.from(integers('t')),
    x: Uint16Array.from(integers('x')),
    y: Uint16Array.from(integers('y')),
    p: Uint8Array.from(integers('p')),
  };
}
