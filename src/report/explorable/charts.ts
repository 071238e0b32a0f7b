import { formatCount } from '../../base/text.ts';
import type { Shape } from '../../network/maps.ts';
import { formatTau, formatValue, type NeuronView, sumAtStep } from './words.ts';

/*
 * The page's charts, as SVG of a fixed size that the page scales. Colours are CSS variables, which follow the reader's colour scheme. Vega, which
 * draws the report's figures, compiles expressions by `new Function`, which the page's security policy forbids; and these charts follow a slider.
 */

type Interval = readonly [low: number, high: number];
/** From a value to its place on an axis, in px. */
type Scale = (value: number) => number;

export function linearScale([low, high]: Interval, [from, to]: Interval): Scale {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** @param domain both above 0 */
export function logScale([low, high]: Interval, range: Interval): Scale {
  const scale = linearScale([Math.log(low), Math.log(high)], range);
  return (value) => scale(Math.log(value));
}

/** Round values between low and high: multiples of 1, 2 or 5 times a power of ten. @param most about so many */
function linearTicks([low, high]: Interval, most: number): number[] {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough * 0.999) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function drawText(x: number, y: number, anchor: 'start' | 'middle' | 'end', text: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${text}</text>`;
}

function drawPath(points: readonly string[], stroke: string, thickness: number, more = ''): string {
  return `<path d="${points.join('')}" fill="none" stroke="${stroke}" stroke-width="${thickness}" stroke-linejoin="round" ${more}/>`;
}

/** Labels of a vertical axis, and the lines at their height. */
function drawRows(ticks: readonly number[], y: Scale, [left, right]: Interval): string[] {
  return ticks.flatMap((tick) => [
    drawPath([`M${left} ${y(tick)}H${right}`], 'var(--line)', 1),
    drawText(left - 6, y(tick) + 4, 'end', formatValue(tick)),
  ]);
}

function drawFigure(width: number, height: number, label: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${parts.join('')}</svg>`;
}

/** Room for the values, and for the time steps. */
const SIDES: Interval = [38, 392];

/**
 * A neuron over time: spikes above, the membrane potential in the middle (up to h, and back after a reset), and the input current below.
 * The step is marked.
 */
export function drawNeuron({ trace, threshold, rest, step }: NeuronView, color: string): string {
  const { current, charged, potential, spikes } = trace;
  const [left, right] = SIDES;
  const [spikesTop, potentialTop, currentTop, bottom] = [24, 60, 214, 260];
  const x = linearScale([0, spikes.length + 0.5], SIDES);
  const stepWidth = x(1) - x(0);
  const potentials = widen([...charged, ...potential, threshold, rest]);
  const potentialAt = linearScale(potentials, [currentTop - 24, potentialTop]);
  const currents = widen([...current, 0]);
  const currentAt = linearScale(currents, [bottom, currentTop]);
  const fired = [...spikes.keys()].filter((t) => spikes[t] === 1);
  const marks = fired.map((t) => `M${x(t + 1)} ${spikesTop}v9`);
  // Up or down to h at each step; after a spike, a dotted line to the potential after the reset.
  const rises = [...charged].map((h, t) => {
    const isNewLine = t === 0 || spikes[t - 1] === 1;
    const start = isNewLine ? `M${x(t)} ${potentialAt(potential[t - 1] ?? rest)}` : '';
    return `${start}L${x(t + 1)} ${potentialAt(h)}`;
  });
  const resets = fired.map((t) => `M${x(t + 1)} ${potentialAt(charged[t]!)}V${potentialAt(potential[t]!)}`);
  const bars = [...current].map((value, t) => `M${x(t + 1)} ${currentAt(0)}V${currentAt(value)}`);
  const steps = linearTicks([1, spikes.length], 10).filter(Number.isInteger);
  return drawFigure(
    400,
    bottom + 34,
    `Spikes, potential and input current of the neuron over ${formatCount(spikes.length, 'step')}`,
    [
      `<rect x="${x(step + 0.5)}" y="22" width="${stepWidth}" height="${bottom - 22}" fill="var(--line)" fill-opacity=".6"/>`,
      drawText(0, spikesTop - 7, 'start', `spikes: ${sumAtStep(trace.spikes)}`),
      drawText(0, potentialTop - 7, 'start', 'membrane potential'),
      drawText(0, currentTop - 7, 'start', 'input current'),
      drawText(right, potentialTop - 7, 'end', `- - threshold ${formatValue(threshold)}`),
      ...drawRows(linearTicks(potentials, 5), potentialAt, SIDES),
      ...drawRows(linearTicks(currents, 2), currentAt, SIDES),
      drawPath([`M${left} ${potentialAt(threshold)}H${right}`], 'var(--ink)', 1, 'stroke-dasharray="5 4"'),
      drawPath(marks, color, 3),
      drawPath(bars, 'var(--grey)', stepWidth * 0.55),
      drawPath(rises, color, 2),
      drawPath(resets, color, 1.5, 'stroke-dasharray="2 2"'),
      `<circle cx="${x(step + 1)}" cy="${potentialAt(charged[step]!)}" r="4" fill="${color}" stroke="var(--surface)"/>`,
      ...steps.map((tick) => drawText(x(tick), bottom + 15, 'middle', String(tick))),
      drawText(right, bottom + 30, 'end', 'time, steps'),
    ],
  );
}

function widen(values: readonly number[]): Interval {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const air = Math.max((high - low) * 0.06, 0.05);
  return [low - air, high + air];
}

/** An axis that holds all values with some air, and spans at least a factor of two. */
export function logDomain(low: number, high: number): Interval {
  const air = Math.max(1.08, Math.sqrt((2 * low) / high));
  return [low / air, high * air];
}

/** How many values fall into each of some bins of equal width on a logarithmic axis that holds them all. */
export function countOnLogAxis(values: Float32Array, domain: Interval, bins: number): number[] {
  const binOf = logScale(domain, [0, bins]);
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[Math.floor(binOf(value))]! += 1;
  return counts;
}

/** The distribution of τ over a layer's neurons on a logarithmic axis, and the chosen neuron's. */
export function drawTaus(taus: Float32Array, selected: number | null, domain: Interval): string {
  const [top, bottom, bins] = [20, 84, 23];
  const sides: Interval = [8, 192];
  const x = logScale(domain, sides);
  const binAt = linearScale([0, bins], sides);
  const ticks = Array.from({ length: 12 }, (_, i) => 2 ** i).filter(
    (tau) => tau > domain[0] && tau < domain[1],
  );
  const counts = countOnLogAxis(taus, domain, bins);
  const most = Math.max(...counts);
  // A bin with few neurons is still seen.
  const height = (count: number) => Math.max((count / most) * (bottom - top), 1.5);
  const bars = counts.map((count, i) =>
    count === 0 ? '' : `M${binAt(i + 0.5)} ${bottom}v${-height(count)}`,
  );
  const parts = [
    drawPath(bars, 'var(--cyan)', binAt(1) - binAt(0) - 1),
    drawPath([`M${sides[0]} ${bottom}H${sides[1]}`], 'var(--grey)', 1),
    ...ticks.map((tick) => drawText(x(tick), bottom + 15, 'middle', formatValue(tick))),
    drawText(sides[1], bottom + 29, 'end', 'τ, steps'),
  ];
  if (selected !== null) {
    const place = x(taus[selected]!);
    // On the side that has room.
    const [shift, anchor] = place > 100 ? ([-9, 'end'] as const) : ([9, 'start'] as const);
    parts.push(
      `<path d="M${place} ${top}V${bottom}M${place} ${top + 1}l-5 -8h10z" stroke="var(--ink)" fill="var(--ink)"/>`,
      drawText(place + shift, top - 4, anchor, formatTau(taus[selected]!)),
    );
  }
  return drawFigure(200, bottom + 32, 'Distribution of τ', parts);
}

/** Values over the epochs of a training. @param around what the vertical axis holds besides the values */
export function drawLine(
  title: string,
  points: readonly (readonly [epoch: number, value: number])[],
  epochs: number,
  around: readonly number[] = [],
): string {
  const values = points.map(([, value]) => value);
  const domain: Interval = [Math.min(...around, ...values), Math.max(...around, ...values)];
  const sides: Interval = [44, 232];
  const [x, y] = [linearScale([0, epochs], sides), linearScale(domain, [88, 8])];
  const [start, end] = [values[0]!, values.at(-1)!].map(formatValue);
  const line = points.map(([epoch, value], i) => `${i === 0 ? 'M' : 'L'}${x(epoch)} ${y(value)}`);
  const figure = drawFigure(240, 110, `${title}, over ${epochs} epochs: ${start} to ${end}`, [
    ...drawRows(linearTicks(domain, 4), y, sides),
    ...linearTicks([0, epochs], 5).map((tick) =>
      drawText(x(tick), 105, 'middle', tick === 0 ? 'epoch 0' : formatValue(tick)),
    ),
    drawPath(line, 'var(--ink)', 1.5),
  ]);
  return `<div><h3>${title}</h3>${figure}</div>`;
}

/** The picture of a layer: its channels as small maps, side by side. */
interface MapTable {
  readonly width: number;
  readonly height: number;
  /** Side of a neuron in px. */
  readonly cell: number;
  /** For each pixel, row by row: the neuron's place in [C, H, W]; −1 between maps. */
  readonly neurons: Int32Array;
}

/** In px of the picture, which is shown twice as large: the side of a map, unless it has more neurons, and of a neuron without a map. */
const [MAP, SINGLE_NEURON, GAP] = [32, 9, 2];

export function layOutMaps([channels, height, width]: Shape): MapTable {
  const isMap = height * width > 1;
  const cell = isMap ? Math.max(1, Math.floor(MAP / Math.max(height, width))) : SINGLE_NEURON;
  const columns = Math.min(channels, isMap ? (channels > 64 ? 16 : 8) : 25);
  const [across, down] = [cell * width + GAP, cell * height + GAP];
  const picture = { width: columns * across - GAP, height: Math.ceil(channels / columns) * down - GAP };
  const neurons = new Int32Array(picture.width * picture.height).map((_, pixel) => {
    const [x, y] = [pixel % picture.width, Math.floor(pixel / picture.width)];
    const channel = Math.floor(y / down) * columns + Math.floor(x / across);
    const [row, column] = [Math.floor((y % down) / cell), Math.floor((x % across) / cell)];
    if (row >= height || column >= width || channel >= channels) return -1;
    return (channel * height + row) * width + column;
  });
  return { ...picture, cell, neurons };
}

/** The next neuron to the right or the left, down or up: at the edge of a map, that of the next map; at the edge of all, itself. */
export function neighbourOf(table: MapTable, neuron: number, right: number, down: number): number {
  const { neurons, width, height } = table;
  const start = neurons.indexOf(neuron);
  let [x, y] = [start % width, Math.floor(start / width)];
  for (;;) {
    [x, y] = [x + right, y + down];
    if (x < 0 || y < 0 || x >= width || y >= height) return neuron;
    const next = neurons[y * width + x]!;
    if (next !== -1 && next !== neuron) return next;
  }
}
