import type { Events } from '../events/events.ts';
import { type FrameLayout, frameDurationsUs, frameSize, integrateFrames } from '../events/frames.ts';
import { type Normalisation, normaliseFrames } from '../events/normalise.ts';
import { compareOne } from './compare.ts';
import type { GivenCase } from './given-case.ts';
import type { CaseKind } from './kind.ts';

/** Events t, x, y, p integrated into T frames of counts, [T, 2, H, W], and normalised. */
export const framesKind: CaseKind = {
  keys: ['split_by', 'normalization', 'T', 'height', 'width', 'layout', 'seed'],
  *compare(given) {
    const { description } = given;
    if (description.has('layout')) description.choice('layout', ['T,P,H,W']);
    const layout: FrameLayout = {
      steps: description.count('T'),
      splitBy: description.choice('split_by', ['number', 'time']),
      sensor: { height: description.count('height'), width: description.count('width') },
      downsample: 1,
    };
    const normalisation = readNormalisation(given);
    const events = readEvents(given, layout);
    const { height, width } = frameSize(layout);
    const shape = [layout.steps, 2, height, width];
    given.floats('frames', shape); // before there is room for as many counts as a wrong size asks for
    const counts = new Uint32Array(layout.steps * 2 * height * width);
    integrateFrames(events, layout, counts);
    const frames = Float32Array.from(counts);
    if (normalisation !== null) {
      normaliseFrames(frames, { height, width }, normalisation, frameDurationsUs(events, layout));
    }
    yield compareOne(normalisation === null ? 'exact' : 'frames', {
      name: 'frames',
      expected: given.find('frames'),
      found: { shape, data: frames },
    });
  },
};

function readNormalisation({ description }: GivenCase): Normalisation | null {
  if (!description.has('normalization')) return null;
  return description.choice<Normalisation>('normalization', ['frequency', 'max', 'norm', 'sum']);
}

/** Rejects events outside the frame, which would be counted in another row or nowhere. */
function readEvents(given: GivenCase, { sensor }: FrameLayout): Events {
  const times = given.whole('t', ['any']).data;
  const read = (name: string, below: number): number[] => {
    const values = Array.from(given.whole(name, [times.length]).data, Number);
    const outside = values.findIndex((value) => !(value >= 0 && value < below));
    if (outside >= 0) {
      given.fail(`tensor "${name}" has ${values[outside]} at [${outside}], expected 0 to ${below - 1}`);
    }
    return values;
  };
  return {
    tUs: Float64Array.from(times, Number),
    x: Uint16Array.from(read('x', sensor.width)),
    y: Uint16Array.from(read('y', sensor.height)),
    p: Uint8Array.from(read('p', 2)),
  };
}
