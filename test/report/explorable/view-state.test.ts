import { describe, expect, it } from 'vitest';
import {
  formatAddress,
  NO_EDITS,
  parseAddress,
  reorderSteps,
  type ViewState,
} from '../../../src/report/explorable/view-state.ts';

const SCOPE = { models: 2, clips: ['test-0', 'own', 'test-17'], steps: 16 };
const START: ViewState = {
  model: 0,
  beside: null,
  clip: 'test-0',
  step: 0,
  order: 'as-is',
  show: 'spikes',
  neuron: null,
  edits: NO_EDITS,
};
const CHANGED: ViewState = {
  model: 1,
  beside: 0,
  clip: 'test-17',
  step: 15,
  order: 7,
  show: 'tau',
  neuron: { layer: 1, index: 49 },
  edits: {
    tau: { '1': 4, all: 0.5, '0.199': 1.19 },
    layerMean: true,
    threshold: 0.85,
    reset: 'soft',
  },
};

it('a view is found again from its address', () => {
  for (const view of [START, CHANGED, { ...CHANGED, order: 'shuffled' } as const])
    expect(parseAddress(formatAddress(view), SCOPE, START)).toEqual(view);
});

it('an address can be read, and names only what differs from the trained network', () => {
  expect(formatAddress(START)).toBe('#model=0&clip=test-0&step=0&order=as-is&show=spikes');
  expect(formatAddress(CHANGED)).toBe(
    '#model=1&beside=0&clip=test-17&step=15&order=7&show=tau&neuron=1.49&tau=1*4_all*0.5_0.199*1.19&taus=layer-mean&threshold=0.85&reset=soft',
  );
});

it.each([
  '#model=2',
  '#model=-1',
  '#model=1e0',
  '#beside=2',
  '#clip=test-99',
  '#step=16',
  '#step=',
  '#order=sideways',
  '#order=16',
  '#show=everything',
  '#neuron=1',
  '#tau=all*0',
  '#tau=all*5',
  '#tau=nonsense',
  '#taus=nonsense',
  '#threshold=0.1',
  '#threshold=NaN',
  '#reset=none',
  '#=&&%%%',
])('%s asks for what does not exist, and is ignored', (address) => {
  expect(parseAddress(address, SCOPE, START)).toEqual(START);
});

describe('the frames of a clip in another order', () => {
  // Three steps of two values.
  const frames = Uint8Array.of(1, 2, 3, 4, 5, 6);

  it('are the same array as recorded, the last first backwards, and one of them when frozen', () => {
    expect(reorderSteps(frames, 3, 'as-is')).toBe(frames);
    expect(reorderSteps(frames, 3, 'reversed')).toEqual(Uint8Array.of(5, 6, 3, 4, 1, 2));
    expect(reorderSteps(frames, 3, 1)).toEqual(Uint8Array.of(3, 4, 3, 4, 3, 4));
  });

  it('are each there once when shuffled, always in the same order, which is not the natural one', () => {
    const natural = Uint8Array.from({ length: 16 }, (_, step) => step);
    const shuffled = reorderSteps(natural, 16, 'shuffled');
    expect(shuffled.toSorted()).toEqual(natural);
    expect(shuffled).not.toEqual(natural);
    expect(reorderSteps(natural, 16, 'shuffled')).toEqual(shuffled);
  });
});
