import { layoutMaps, type MapLayout, type MapShape, mapOrigin, neuronAtPoint } from '../map-layout.ts';
import { formatValue } from '../scales.ts';
import { describeMaps, formatTau } from '../words.ts';
import { element } from './dom.ts';
import { cssColor, mix, type Palette, packPixel, type Rgb, ramp } from './palette.ts';
import { prepareCanvas, roomOf, sheetBehind } from './pixel-sheet.ts';

export interface Maps {
  /** Of one step, [C, H, W]. */
  readonly values: Float32Array | Uint8Array;
  readonly shape: MapShape;
  readonly kind: 'spikes' | 'potential' | 'tau';
  readonly threshold: number;
  /** Potential without input. */
  readonly rest: number;
  /** Smallest and largest τ of the scale, for `tau`. */
  readonly range: readonly [number, number];
  /** Place in [C, H, W]. */
  readonly selected: number | null;
  readonly palette: Palette;
}

const LEVELS = 256;

/** The mosaic that `drawMaps` draws on this canvas now. */
export function mapLayout(canvas: HTMLCanvasElement, shape: MapShape): MapLayout {
  return layoutMaps(shape, roomOf(canvas), devicePixelRatio);
}

/**
 * Draws each channel of a layer as a small map; the canvas takes the width of its parent and the height that it needs. Spikes are filled;
 * potentials are on a diverging scale around rest, and filled as spikes are from the threshold on; τ are on a logarithmic scale.
 */
export function drawMaps(canvas: HTMLCanvasElement, maps: Maps): void {
  const { shape, kind, selected, palette } = maps;
  const [channels, height, width] = shape;
  const layout = mapLayout(canvas, shape);
  const context = prepareCanvas(canvas, layout);
  // Several neurons in a pixel: their mean.
  context.imageSmoothingEnabled = layout.cell < 1;
  const sheet = sheetBehind(canvas, width, channels * height);
  const spikes = paint(sheet.pixels, maps);
  sheet.update();
  const [mapWidth, mapHeight] = [layout.cell * width, layout.cell * height];
  for (let channel = 0; channel < channels; channel++) {
    const [x, y] = mapOrigin(layout, channel);
    context.drawImage(sheet.source, 0, channel * height, width, height, x, y, mapWidth, mapHeight);
  }
  if (selected !== null) markNeuron(context, layout, selected, palette);
  canvas.setAttribute('aria-label', describeMaps(shape, kind, spikes));
}

/** @returns the number of spikes; null for τ */
function paint(pixels: Uint32Array, { values, kind, threshold, rest, range, palette }: Maps): number | null {
  const filled = packPixel(palette.ink);
  const empty = packPixel(palette.tint);
  let spikes = 0;
  if (kind === 'spikes') {
    for (let i = 0; i < pixels.length; i++) {
      spikes += values[i]!;
      pixels[i] = values[i] === 0 ? empty : filled;
    }
    return spikes;
  }
  const colors = Uint32Array.from({ length: LEVELS }, (_, level) =>
    packPixel(ramp(scaleColors(kind, palette), level / (LEVELS - 1))),
  );
  // From −1 and less to 1, in distances between rest and the threshold; or the logarithm of τ.
  const [low, high] = kind === 'tau' ? range.map(Math.log) : [2 * rest - threshold, threshold];
  const levels = (LEVELS - 1) / Math.max(high! - low!, 1e-9);
  for (let i = 0; i < pixels.length; i++) {
    const value = values[i]!;
    if (kind === 'potential' && value >= threshold) {
      spikes += 1;
      pixels[i] = filled;
    } else {
      const level = ((kind === 'tau' ? Math.log(value) : value) - low!) * levels;
      pixels[i] = colors[level < 0 ? 0 : level > LEVELS - 1 ? LEVELS - 1 : Math.round(level)]!;
    }
  }
  return kind === 'tau' ? null : spikes;
}

/** Stops at even distances, from the lowest value to the highest. */
function scaleColors(kind: Maps['kind'], { ink, tint, surface, on, off, tau }: Palette): readonly Rgb[] {
  if (kind === 'tau') return [mix(surface, tau, 0.15), tau, mix(tau, ink, 0.8)];
  return kind === 'potential' ? [off, tint, on] : [tint, ink];
}

/** A frame around the map, and a ring around the neuron, or inside a large one: dark on a light edge, so that it is seen on any cell. */
function markNeuron(
  context: CanvasRenderingContext2D,
  layout: MapLayout,
  index: number,
  palette: Palette,
): void {
  const { cell } = layout;
  const [, height, width] = layout.shape;
  const [left, top] = mapOrigin(layout, Math.floor(index / (height * width)));
  const x = left + (index % width) * cell;
  const y = top + (Math.floor(index / width) % height) * cell;
  const px = devicePixelRatio;
  const large = cell >= 12 * px;
  const ring = (color: Rgb, thickness: number, inset: number) => {
    context.strokeStyle = cssColor(color);
    context.lineWidth = thickness * px;
    context.beginPath();
    if (large) context.rect(x + inset * px, y + inset * px, cell - 2 * inset * px, cell - 2 * inset * px);
    else context.arc(x + cell / 2, y + cell / 2, Math.max(cell, 5 * px), 0, 2 * Math.PI);
    context.stroke();
  };
  context.strokeStyle = cssColor(palette.muted);
  context.lineWidth = px;
  if (!large) context.strokeRect(left + px / 2, top + px / 2, cell * width - px, cell * height - px);
  ring(palette.surface, 5, 2.5);
  ring(palette.ink, 2, 2);
}

/** The neuron under a point of the canvas, in CSS px from its corner; null between maps. */
export function neuronAt(canvas: HTMLCanvasElement, shape: MapShape, x: number, y: number): number | null {
  return neuronAtPoint(mapLayout(canvas, shape), x * devicePixelRatio, y * devicePixelRatio);
}

/** Explains the colours of `drawMaps`. */
export function drawScale(
  root: HTMLElement,
  { kind, threshold, rest, range, palette }: Omit<Maps, 'values' | 'shape' | 'selected'>,
): void {
  const colors = scaleColors(kind, palette).map(cssColor);
  const strip = (background: string, className = '') => {
    const made = element('i', { class: className });
    made.style.background = background;
    return made;
  };
  const gradient = strip(`linear-gradient(to right, ${colors.join(', ')})`);
  const fires = element('span', {}, strip(cssColor(palette.ink), 'one'), 'spike');
  root.className = 'scale';
  if (kind === 'spikes') {
    root.replaceChildren(fires, element('span', {}, strip(cssColor(palette.tint), 'one'), 'no spike'));
  } else if (kind === 'tau') {
    const ends = range.map(formatTau);
    root.replaceChildren(element('span', {}, ends[0]!, gradient, ends[1]!), 'τ in steps, logarithmic scale');
  } else {
    const ends = [`≤ ${formatValue(2 * rest - threshold)}`, `threshold ${formatValue(threshold)}`];
    root.replaceChildren(
      element('span', {}, ends[0]!, gradient, ends[1]!),
      fires,
      `rest (${formatValue(rest)}) in the middle`,
    );
  }
}
