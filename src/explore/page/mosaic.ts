import { keepLast } from '../keep-last.ts';
import { layoutMaps, type MapLayout, type MapShape, mapOrigin } from '../map-layout.ts';
import { formatValue } from '../scales.ts';
import type { ViewState } from '../view-state.ts';
import { describeMaps, formatTau } from '../words.ts';
import { listColors, makeCanvas, type Palette, prepareCanvas, roomOf } from './canvas.ts';

/** What the colours of maps mean. */
export interface MapScale {
  readonly kind: ViewState['show'];
  readonly threshold: number;
  /** Potential without input. */
  readonly rest: number;
  /** Smallest and largest τ, for `tau`. */
  readonly range: readonly [number, number];
  readonly palette: Palette;
}

const LEVELS = 256;

/** The mosaic that is drawn on this canvas now. */
export function mapLayout(canvas: HTMLCanvasElement, shape: MapShape): MapLayout {
  return layoutMaps(shape, roomOf(canvas), devicePixelRatio);
}

/**
 * Makes what draws each channel of a layer as a small map; the canvas takes the width of its parent and the height that it needs. Spikes are
 * filled; potentials are on a diverging scale around rest, and filled as spikes are from the threshold on; τ are on a logarithmic scale.
 *
 * @returns a function of the values of one step, [C, H, W], and of the chosen neuron's place in them
 */
export function makeMaps(canvas: HTMLCanvasElement, shape: MapShape) {
  const [channels, height, width] = shape;
  // One pixel for each value, drawn enlarged; new ones at every frame would keep the browser busy collecting them.
  const sheet = makeCanvas(width, channels * height);
  const image = new ImageData(sheet.width, sheet.height);
  const pixels = new Uint32Array(image.data.buffer);
  const colorsOf = keepLast(listMapColors);
  return (values: Float32Array | Uint8Array, scale: MapScale, selected: number | null): void => {
    const { kind, palette } = scale;
    const isLog = kind === 'tau';
    const [low, high] = endsOf(scale).map((end) => (isLog ? Math.log(end) : end)) as [number, number];
    const colors = colorsOf(kind, palette);
    const filled = colors[LEVELS]!;
    const levels = (LEVELS - 1) / Math.max(high - low, 1e-9);
    let spikes = 0;
    for (let i = 0; i < pixels.length; i++) {
      const value = values[i]!;
      const level = Math.round(((isLog ? Math.log(value) : value) - low) * levels);
      const isSpike = !isLog && value >= high;
      if (isSpike) spikes += 1;
      pixels[i] = isSpike ? filled : colors[Math.min(Math.max(level, 0), LEVELS - 1)]!;
    }
    sheet.getContext('2d')!.putImageData(image, 0, 0);
    const layout = mapLayout(canvas, shape);
    const context = prepareCanvas(canvas, layout.width, layout.height);
    // Several neurons in a pixel: their mean.
    context.imageSmoothingEnabled = layout.cell < 1;
    const [mapWidth, mapHeight] = [layout.cell * width, layout.cell * height];
    for (let channel = 0; channel < channels; channel++) {
      const [x, y] = mapOrigin(layout, channel);
      context.drawImage(sheet, 0, channel * height, width, height, x, y, mapWidth, mapHeight);
    }
    if (selected !== null) markNeuron(context, layout, selected, palette);
    canvas.setAttribute('aria-label', describeMaps(shape, kind, spikes));
  };
}

/** The values at the ends of the scale: spikes and potentials have the threshold, or a spike, at the upper one. */
function endsOf({ kind, threshold, rest, range }: MapScale): readonly [number, number] {
  if (kind === 'tau') return range;
  return kind === 'spikes' ? [0, 1] : [2 * rest - threshold, threshold];
}

/** At even distances, from the lowest value to the highest. */
function stopsOf(kind: MapScale['kind'], { ink, tint, on, off, tau }: Palette): readonly string[] {
  if (kind === 'tau') return [tint, tau, ink];
  return kind === 'potential' ? [off, tint, on] : [tint, ink];
}

/** The colours of all levels, and that of a spike. */
function listMapColors(kind: MapScale['kind'], palette: Palette): readonly number[] {
  return [...listColors(stopsOf(kind, palette), LEVELS), ...listColors([palette.ink, palette.ink], 1)];
}

/** A frame around the map, and a square around the neuron: dark on a light edge, so that it is seen on any cell. */
function markNeuron(
  context: CanvasRenderingContext2D,
  layout: MapLayout,
  index: number,
  palette: Palette,
): void {
  const { cell } = layout;
  const [, height, width] = layout.shape;
  const [left, top] = mapOrigin(layout, Math.floor(index / (height * width)));
  const x = left + ((index % width) + 0.5) * cell;
  const y = top + ((Math.floor(index / width) % height) + 0.5) * cell;
  const px = devicePixelRatio;
  const frame = (color: string, thickness: number, [left, top, width, height]: readonly number[]) => {
    context.strokeStyle = color;
    context.lineWidth = thickness * px;
    context.strokeRect(left!, top!, width!, height!);
  };
  frame(palette.muted, 1, [left + px / 2, top + px / 2, cell * width - px, cell * height - px]);
  const side = Math.max(cell, 9 * px);
  for (const [color, thickness] of [
    [palette.surface, 5],
    [palette.ink, 2],
  ] as const)
    frame(color, thickness, [x - side / 2, y - side / 2, side, side]);
}

/** Explains the colours of maps, as HTML. */
export function writeScale(scale: MapScale): string {
  const { kind, rest, palette } = scale;
  const [low, high] = endsOf(scale);
  const square = (color: string, text: string) =>
    `<span><i class="one" style="background: ${color}"></i>${text}</span>`;
  const strip = (start: string, end: string) =>
    `<span>${start}<i style="background: linear-gradient(to right, ${stopsOf(kind, palette)})"></i>${end}</span>`;
  const spike = square(palette.ink, 'spike');
  if (kind === 'spikes') return spike + square(palette.tint, 'no spike');
  if (kind === 'tau') return `${strip(formatTau(low), formatTau(high))}τ in steps, logarithmic scale`;
  const ends = strip(`≤ ${formatValue(low)}`, `threshold ${formatValue(high)}`);
  return `${ends}${spike}rest (${formatValue(rest)}) in the middle`;
}
