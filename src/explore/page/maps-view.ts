import { describeMaps } from '../accounts.ts';
import { layoutMaps, type MapLayout, type MapShape, mapOrigin, neuronAtPoint } from '../map-layout.ts';
import { cssColor, mix, type Palette, packPixel, type Rgb, ramp } from './palette.ts';
import { prepareCanvas, roomOf, sheetBehind } from './pixel-sheet.ts';

export interface Maps {
  /** Of one step, [C, H, W]. */
  readonly values: Float32Array | Uint8Array;
  readonly shape: MapShape;
  readonly kind: 'spikes' | 'potential' | 'tau';
  readonly threshold: number;
  /** Potential without input; 0 unless given. */
  readonly rest?: number;
  /** Smallest and largest τ of the scale, for `tau`. */
  readonly range?: readonly [number, number];
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
  const { values, shape, kind, selected, palette } = maps;
  const [channels, height, width] = shape;
  const layout = mapLayout(canvas, shape);
  const context = prepareCanvas(canvas, layout);
  const sheet = sheetBehind(canvas, width, channels * height);
  const spikes = paint(sheet.pixels, values, maps);
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
function paint(pixels: Uint32Array, values: Maps['values'], maps: Maps): number | null {
  const { kind, threshold, rest = 0, range = [1, 4], palette } = maps;
  const colors = Uint32Array.from({ length: LEVELS }, (_, level) =>
    packPixel(ramp(scaleColors(kind, palette), level / (LEVELS - 1))),
  );
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

/** A frame around the map, and a ring that is visible on light and dark cells. */
function markNeuron(
  context: CanvasRenderingContext2D,
  layout: MapLayout,
  index: number,
  palette: Palette,
): void {
  const [, height, width] = layout.shape;
  const [left, top] = mapOrigin(layout, Math.floor(index / (height * width)));
  const x = left + ((index % width) + 0.5) * layout.cell;
  const y = top + ((Math.floor(index / width) % height) + 0.5) * layout.cell;
  const radius = Math.max(layout.cell * 0.75, 5 * devicePixelRatio);
  const strokes: [number, Rgb][] = [
    [5, palette.surface],
    [2, palette.ink],
  ];
  for (const [thickness, color] of strokes) {
    context.lineWidth = thickness * devicePixelRatio;
    context.strokeStyle = cssColor(color);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** The neuron under a point of the canvas, in CSS px from its corner; null between maps. */
export function neuronAt(canvas: HTMLCanvasElement, shape: MapShape, x: number, y: number): number | null {
  return neuronAtPoint(mapLayout(canvas, shape), x * devicePixelRatio, y * devicePixelRatio);
}
