import {
  type ClipExample,
  type ClipExamples,
  type ClipFrames,
  clipExampleFile,
} from '../../results/clip-examples.ts';
import { audioOf } from '../../results/dataset-facts.ts';
import { formatQuantity, formatShare, groupDigits, present, spellCount } from '../../verdicts/words.ts';
import type { Results } from '../data/results.ts';
import type { Block, Gallery, GalleryPicture, Section } from '../page/document.ts';
import { binClip, turnRow } from '../pictures/clip.ts';
import { contactSheet, spreadSteps } from '../pictures/contact-sheet.ts';
import { COLORS, EVENT_PALETTE, eventIndex, SHADES } from '../pictures/palette.ts';

/** Of a clip with more steps, so many are shown. */
const MOST_STEPS = 10;
/** Approximate length of a frame's longer side, in pixels: five in a row are half as wide as the page on a high-resolution screen. */
const FRAME_PX = 128;

/** One clip of each class in pictures, for readers who have never seen such data; nothing if there are no test clips. */
export function describeClips({ examples, dataset }: Pick<Results, 'examples' | 'dataset'>): Section[] {
  if (examples.examples.length === 0) return [];
  const isImages = examples.kind === 'images';
  const isSound = audioOf(dataset) !== undefined;
  const what = isImages ? 'image' : 'clip';
  const pictures = examples.examples.map((example) => drawExample(examples, example));
  const text = isImages ? 'The first test image of each class, enlarged.' : describeSheets(examples, isSound);
  const blocks: Block[] = [
    { kind: 'paragraph', text: [text] },
    { kind: 'gallery', gallery: { id: 'clips', legend: isImages ? [] : makeLegend(isSound), pictures } },
  ];
  return [{ id: 'clips', title: `One ${what} of each class`, blocks }];
}

function describeSheets({ examples, simulated }: ClipExamples, isSound: boolean): string {
  const steps = Math.max(...examples.map(({ frames }) => frames.shape[0] ?? 0));
  const bin = Math.max(...examples.map(({ frames }) => fitBin(frames)));
  const isTurned = examples.some(({ frames }) => turnRow(frames) !== frames);
  return [
    `The first ${simulated ? 'simulated ' : ''}test clip of each class as event counts`,
    isTurned
      ? `: its ${groupDigits(steps)} steps from left to right, ${isSound ? 'its bands upwards, from low to high' : 'the sensor’s row upwards'}`
      : steps > MOST_STEPS
        ? `: ${spellCount(MOST_STEPS)} of its ${groupDigits(steps)} steps, with their numbers`
        : '',
    bin > 1 ? `, ${bin} × ${bin} pixels binned` : '',
    '. The more events, the stronger the colour. Each clip has its own scale: full strength is the 99th percentile of the counts above 0.',
  ].join('');
}

function drawExample({ kind, classes, simulated }: ClipExamples, example: ClipExample): GalleryPicture {
  const title = classes[example.class] ?? '';
  const common = { id: clipExampleFile(example.class).replace('.npy', ''), title };
  const frames = turnRow(example.frames);
  if (kind === 'images') {
    const picture = contactSheet(frames, { factor: fitFactor(frames) });
    return { ...common, ...picture, alt: `An image of the class ${title}.`, details: [example.recording] };
  }
  const [count = 1] = example.frames.shape;
  const isTurned = frames !== example.frames;
  const steps = spreadSteps(isTurned ? 1 : count, MOST_STEPS);
  const small = binClip(frames, fitBin(frames));
  const picture = contactSheet(small, {
    steps,
    // Two rows, so that time runs from left to right without frames becoming too small.
    columns: steps.length > 5 ? Math.ceil(steps.length / 2) : steps.length,
    factor: fitFactor(small),
    ...(simulated ? { caption: 'SIMULATED' } : {}),
  });
  const isWhole = isTurned || steps.length === count;
  const shown = isWhole ? formatQuantity(count, 'step') : `${steps.length} of ${groupDigits(count)} steps`;
  const on = formatShare(countOn(frames) / Math.max(1, example.events ?? 0));
  const { recording, user, light } = example;
  const origin = present(recording, user !== null && `user ${user}`, light !== null && `light ${light}`);
  return {
    ...common,
    ...picture,
    alt: `${simulated ? 'A simulated clip' : 'A clip'} of the class ${title}: ${shown}, from left to right; ${on} of its events are ON.`,
    details: [origin.join(', '), describeRate(example)],
  };
}

/** `2 317 events in 0.31 s, 7 474 per second`. */
function describeRate({ startUs, endUs, events }: ClipExample): string {
  const seconds = ((endUs ?? 0) - (startUs ?? 0)) / 1e6;
  const count = formatQuantity(events ?? 0, 'event');
  if (seconds === 0) return count;
  const rate = groupDigits(Math.round((events ?? 0) / seconds));
  return `${count} in ${seconds.toFixed(2)}\u00a0s, ${rate} per second`;
}

/** ON events: those of the second polarity of each step. */
function countOn({ shape: [steps = 0, , height = 0, width = 0], data }: ClipFrames): number {
  let sum = 0;
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < height * width; i++) sum += data[(2 * step + 1) * height * width + i] ?? 0;
  }
  return sum;
}

/** Pixels to bin in each direction for a frame of about `FRAME_PX`. */
function fitBin(frames: ClipFrames): number {
  return Math.max(1, Math.round(longerSide(frames) / FRAME_PX));
}

function fitFactor(frames: ClipFrames): number {
  return Math.max(1, Math.round(FRAME_PX / longerSide(frames)));
}

function longerSide({ shape }: ClipFrames): number {
  return Math.max(shape[2] ?? 1, shape[3] ?? 1);
}

function makeLegend(isSound: boolean): Gallery['legend'] {
  const css = (color: readonly number[]): string =>
    `#${color.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
  const [source, on, off] = isSound ? ['band', 'louder', 'quieter'] : ['pixel', 'brighter', 'darker'];
  return [
    { label: `Vermilion: ON events, the ${source} became ${on}`, color: css(COLORS.on) },
    { label: `Blue: OFF events, it became ${off}`, color: css(COLORS.off) },
    {
      label: 'Both mixed: many of both',
      color: css(EVENT_PALETTE[eventIndex(SHADES, SHADES)] ?? COLORS.ink),
    },
  ];
}
