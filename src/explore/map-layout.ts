/** [C, H, W] */
export type MapShape = readonly [channels: number, height: number, width: number];

/** A mosaic of a layer's channels, in pixels of the screen (not of CSS), so that each neuron is a square of whole pixels. */
export interface MapLayout {
  readonly shape: MapShape;
  readonly columns: number;
  readonly rows: number;
  /** Side of a neuron. */
  readonly cell: number;
  /** Between maps. */
  readonly gap: number;
  readonly width: number;
  readonly height: number;
}

/** The side that maps should have, in CSS px, if the width allows it; for single neurons, the size of a target for a finger. */
const MAP_SIDE = 64;
const NEURON_SIDE = 20;
const LEAST_GAP = 3;
const LARGEST_GAP = 8;
const NEURON_GAP = 2;

/**
 * Chooses how many maps stand side by side: a number that gives maps of about `MAP_SIDE`, rather one that fills the last row.
 *
 * @param widthPx of the whole mosaic, in CSS px
 * @param pixelRatio pixels of the screen per CSS px
 */
export function layoutMaps(shape: MapShape, widthPx: number, pixelRatio: number): MapLayout {
  const [channels, height, width] = shape;
  const single = height * width === 1;
  const room = Math.max(1, Math.floor(widthPx * pixelRatio));
  const least = Math.round((single ? NEURON_GAP : LEAST_GAP) * pixelRatio);
  const target = (single ? NEURON_SIDE : MAP_SIDE) * pixelRatio;
  const layouts = Array.from({ length: channels }, (_, i): MapLayout & { readonly cost: number } => {
    const columns = i + 1;
    const rows = Math.ceil(channels / columns);
    // Twice the target is as large as a map gets when the layer has few.
    const most = Math.min((room - i * least) / columns, 2 * target);
    const cell = Math.max(1, Math.floor(most / width));
    const spare = columns > 1 ? Math.floor((room - columns * cell * width) / i) : least;
    const gap = single ? least : Math.max(least, Math.min(spare, Math.round(LARGEST_GAP * pixelRatio)));
    const total = columns * cell * width + i * gap;
    const ragged = rows > 1 && channels % columns !== 0 ? 0.5 : 0;
    return {
      shape,
      columns,
      rows,
      cell,
      gap,
      width: total,
      height: rows * cell * height + (rows - 1) * gap,
      cost: total > room && i > 0 ? Infinity : Math.abs(Math.log((cell * width) / target)) + ragged,
    };
  });
  return layouts.reduce((best, one) => (one.cost < best.cost ? one : best));
}

/** Where a channel's map begins, in pixels of the screen. */
export function mapOrigin({ shape, columns, cell, gap }: MapLayout, channel: number): [x: number, y: number] {
  const [, height, width] = shape;
  return [(channel % columns) * (cell * width + gap), Math.floor(channel / columns) * (cell * height + gap)];
}

/** The neuron's place in [C, H, W] at a point of the mosaic in pixels of the screen; null between maps. */
export function neuronAtPoint({ shape, columns, rows, cell, gap }: MapLayout, x: number, y: number) {
  const [channels, height, width] = shape;
  const column = Math.floor(x / (cell * width + gap));
  const row = Math.floor(y / (cell * height + gap));
  const channel = row * columns + column;
  const [left, top] = [x - column * (cell * width + gap), y - row * (cell * height + gap)];
  const inside = left >= 0 && top >= 0 && left < cell * width && top < cell * height;
  if (!inside || column >= columns || row >= rows || channel >= channels) return null;
  return (channel * height + Math.floor(top / cell)) * width + Math.floor(left / cell);
}

/**
 * The neuron beside another one in the mosaic, for the arrow keys: at the edge of a map, that of the next map.
 *
 * @returns the same neuron at the edge of the mosaic
 */
export function neighbourOf(
  { shape, columns }: MapLayout,
  index: number,
  right: number,
  down: number,
): number {
  const [channels, height, width] = shape;
  const channel = Math.floor(index / (height * width));
  const column = (channel % columns) * width + (index % width) + right;
  const row = Math.floor(channel / columns) * height + (Math.floor(index / width) % height) + down;
  if (column < 0 || row < 0 || column >= columns * width) return index;
  const next = Math.floor(row / height) * columns + Math.floor(column / width);
  return next < channels ? (next * height + (row % height)) * width + (column % width) : index;
}
