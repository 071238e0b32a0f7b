import { decodeAedat3 } from '../events/aedat3.ts';
import { ClipCollector, placeSpans } from '../events/clips.ts';
import { type Events, sliceEvents } from '../events/events.ts';
import { type FrameLayout, frameDurationsUs, frameSize, integrateFrames } from '../events/frames.ts';
import { parseLabels } from '../events/labels.ts';
import { type Normalisation, normaliseFrames } from '../events/normalise.ts';
import { OVERLAPS } from '../thesis/compat.ts';
import { compare, compareOne, listValues, type Pair, wholeValues } from './compare.ts';
import type { CaseKind, GivenCase } from './given-case.ts';

/** Event coordinates have 15 bits; a description need not name the sensor. */
const largestSensor = { height: 2 ** 15, width: 2 ** 15 };

/** The events of an AEDAT 3.1 file: t, x, y, p. */
export const aedatKind: CaseKind = {
  keys: ['file', 'events'],
  async *compare(given) {
    const events = await readRecording(given);
    yield compareOne('exact', {
      name: 'events',
      expected: listValues([given.description.count('events')]),
      found: listValues([events.tUs.length]),
    });
    for (const [name, values] of columnsOf(events)) {
      yield compareOne('exact', { name, expected: given.find(name), found: wholeValues(values) });
    }
  },
};

/**
 * A recording cut into clips by its labels file: `segment_<i>` is [class, index of the first event, one past the last]. `overlaps` is that
 * of `placeSpans`, `both` if it is missing.
 */
export const segmentsKind: CaseKind = {
  keys: ['file', 'labels', 'overlaps'],
  async *compare(given) {
    const events = await readRecording(given);
    const file = given.description.text('labels');
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await given.file('labels'));
    // The classes depend on the data set; accept any number here.
    const { labels } = parseLabels(text, { file, classes: Number.MAX_SAFE_INTEGER });
    const { description } = given;
    const overlaps = description.has('overlaps') ? description.choice('overlaps', OVERLAPS) : 'both';
    const collector = new ClipCollector(placeSpans(labels, overlaps));
    events.tUs.forEach((tUs, i) => {
      collector.push(tUs, events.x[i]!, events.y[i]!, events.p[i]!);
    });
    const segments = given.names().filter((name) => /^segment_\d+$/.test(name)).length;
    if (segments !== labels.length) {
      given.fail(`${file} has ${labels.length} rows, but the case has ${segments} tensors "segment_<i>"`);
    }
    const classes: Pair[] = [];
    const clips: Pair[] = [];
    for (const [i, clip] of collector.clips().entries()) {
      const name = `segment_${i}`;
      const [label = 0, from = 0, to = 0] = Array.from(given.whole(name, [3]).data, Number);
      // `sliceEvents` would clamp other indices, so that a wrong end could go unnoticed.
      if (!(from >= 0 && from <= to && to <= events.tUs.length)) {
        given.fail(
          `tensor "${name}" has events ${from} to ${to}, expected 0 <= first <= end <= ${events.tUs.length}`,
        );
      }
      classes.push({
        name: `${name}/class`,
        expected: listValues([label]),
        found: listValues([labels[i]!.class]),
      });
      clips.push(...pairClips(name, sliceEvents(events, from, to), clip));
    }
    yield compare('classes', 'exact', classes);
    yield compare('clips', 'exact', clips);
  },
};

async function readRecording(given: GivenCase): Promise<Events> {
  const file = given.description.text('file');
  return decodeAedat3(await given.file('file'), { file, sensor: largestSensor }).events;
}

function columnsOf({ tUs, x, y, p }: Events): [string, ArrayLike<number>][] {
  return [
    ['t', tUs],
    ['x', x],
    ['y', y],
    ['p', p],
  ];
}

function pairClips(name: string, expected: Events, found: Events): Pair[] {
  return columnsOf(expected).map(([column, values], i) => ({
    name: `${name}/${column}`,
    expected: wholeValues(values),
    found: wholeValues(columnsOf(found)[i]![1]),
    mayBeEmpty: true, // there may be no event between a clip's start and end
  }));
}

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
