import * as v from 'valibot';
import { count } from '../../base/files/shape.ts';
import { decodeAedat3 } from '../../data/events/aedat3-parser.ts';
import { eventsIn, placeSpans } from '../../data/events/clips.ts';
import { type Events, sliceEvents } from '../../data/events/events.ts';
import {
  type FrameLayout,
  frameDurationsUs,
  frameSize,
  integrateFrames,
  normaliseFrames,
} from '../../data/events/frames.ts';
import { parseLabels } from '../../data/events/labels.ts';
import { OVERLAPS } from '../../results/thesis/compat.ts';
import { compare, compareOne, type TensorPair, toValues, wholeValues } from './compare.ts';
import { defineKind, type GivenCase, remark } from './given-case.ts';
import { roundings } from './tolerances.ts';

/** Event coordinates have 15 bits; a description need not name the sensor. */
const largestSensor = { height: 2 ** 15, width: 2 ** 15 };

/** The events of an AEDAT 3.1 file: t, x, y, p. */
export const aedatKind = defineKind(
  { file: v.string(), events: count },
  async function* (given, { file, events: length }) {
    const events = await readRecording(given, file);
    yield compareOne({
      name: 'events',
      expected: toValues([length]),
      found: toValues([events.tUs.length]),
    });
    for (const [name, values] of columnsOf(events)) {
      yield compareOne({ name, expected: given.find(name), found: wholeValues(values) });
    }
  },
);

/**
 * A recording cut into clips by its labels file: `segment_<i>` is [class, index of the first event, one past the last]. `overlaps` is that
 * of `placeSpans`, `both` if it is missing.
 */
export const segmentsKind = defineKind(
  { file: v.string(), labels: v.string(), overlaps: v.optional(v.picklist(OVERLAPS), 'both') },
  async function* (given, { file: recording, labels: file, overlaps }) {
    const events = await readRecording(given, recording);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await given.file(file));
    // The classes depend on the data set; accept any number here.
    const { labels } = parseLabels(text, { file, classes: Number.MAX_SAFE_INTEGER });
    const spans = placeSpans(labels, overlaps);
    const segments = given.names().filter((name) => /^segment_\d+$/.test(name)).length;
    if (segments !== labels.length) {
      given.fail(`${file} has ${labels.length} rows, but the case has ${segments} tensors "segment_<i>"`);
    }
    const classes: TensorPair[] = [];
    const clips: TensorPair[] = [];
    for (const [i, span] of spans.entries()) {
      const clip = eventsIn(events, span);
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
        expected: toValues([label]),
        found: toValues([labels[i]!.class]),
      });
      clips.push(...pairClips(name, sliceEvents(events, from, to), clip));
    }
    yield compare('classes', classes);
    yield compare('clips', clips);
  },
);

async function readRecording(given: GivenCase, file: string): Promise<Events> {
  return decodeAedat3(await given.file(file), { file, sensor: largestSensor }).events;
}

function columnsOf({ tUs, x, y, p }: Events): [string, ArrayLike<number>][] {
  return [
    ['t', tUs],
    ['x', x],
    ['y', y],
    ['p', p],
  ];
}

function pairClips(name: string, expected: Events, found: Events): TensorPair[] {
  return columnsOf(expected).map(([column, values], i) => ({
    name: `${name}/${column}`,
    expected: wholeValues(values),
    found: wholeValues(columnsOf(found)[i]![1]),
    mayBeEmpty: true, // there may be no event between a clip's start and end
  }));
}

/** Events t, x, y, p integrated into T frames of counts, [T, 2, H, W], and normalised. */
export const framesKind = defineKind(
  {
    split_by: v.picklist(['number', 'time']),
    normalization: v.nullish(v.picklist(['frequency', 'max', 'norm', 'sum']), null),
    T: count,
    height: count,
    width: count,
    layout: remark,
    seed: remark,
  },
  function* (given, { split_by: splitBy, normalization, T: steps, ...sensor }) {
    const layout: FrameLayout = { steps, splitBy, sensor, downsample: 1 };
    const events = readEvents(given);
    const { height, width } = frameSize(layout);
    const shape = [layout.steps, 2, height, width];
    given.floats('frames', shape); // before there is room for as many counts as a wrong size asks for
    const counts = new Uint32Array(layout.steps * 2 * height * width);
    integrateFrames(events, layout, counts);
    const frames = Float32Array.from(counts);
    if (normalization !== null) {
      normaliseFrames(frames, { height, width }, normalization, frameDurationsUs(events, layout));
    }
    yield compareOne({
      name: 'frames',
      terms: normalization === null ? 0 : roundings.frames,
      expected: given.find('frames'),
      found: { shape, data: frames },
    });
  },
);

function readEvents(given: GivenCase): Events {
  const times = given.whole('t', ['any']).data;
  const read = (name: string): number[] => Array.from(given.whole(name, [times.length]).data, Number);
  return {
    tUs: Float64Array.from(times, Number),
    x: Uint16Array.from(read('x')),
    y: Uint16Array.from(read('y')),
    p: Uint8Array.from(read('p')),
  };
}
