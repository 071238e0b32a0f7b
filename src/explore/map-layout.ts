/** [C, H, W] */
export type MapShape = readonly [channels: number, height: number, width: number];

/** A mosaic of a layer's channels, in pixels of the screen (not of CSS), so that each neuron is a square of whole pixels. */
export interface MapLayout {
  readonly shape: MapShape;
  readonly columns: number;
  readonly rows: number;
  /** Side of a neuron; 1/2, 1/3, … where a map has more neurons than pixels. */
  readonly cell: number;
  /** Between maps. */
  readonly gap: number;
  readonly width: number;
  readonly height: number;
}

/** In CSS px: the largest side of a map, and the side of single neurons, which are maps of one cell. */
const [LARGEST_MAP, SINGLE_NEURON] = [64, 20];
const GAP = { map: 5, neuron: 2 };

/**
 * Eight maps in a row, or sixteen if there are more than 64 and the row is wider than a phone; single neurons, as many as fit.
 *
 * @param widthPx of the whole mosaic, in CSS px
 * @param pixelRatio pixels of the screen per CSS px
 */
export function layoutMaps(shape: MapShape, widthPx: number, pixelRatio: number): MapLayout {
  const [channels, height, width] = shape;
  const kind = height * width === 1 ? 'neuron' : 'map';
  const room = Math.max(1, Math.floor(widthPx * pixelRatio));
  const gap = Math.round(GAP[kind] * pixelRatio);
  const largest = Math.round((kind === 'neuron' ? SINGLE_NEURON : LARGEST_MAP) * pixelRatio);
  const most =
    kind === 'neuron' ? Math.floor((room + gap) / (largest + gap)) : channels > 64 && widthPx > 400 ? 16 : 8;
  const columns = Math.max(1, Math.min(channels, most));
  const fits = Math.min(largest, (room - (columns - 1) * gap) / columns) / width;
  const cell = fits >= 1 ? Math.floor(fits) : 1 / Math.ceil(1 / fits);
  const rows = Math.ceil(channels / columns);
  const lengthOf = (maps: number, side: number) => Math.ceil(maps * cell * side + (maps - 1) * gap);
  return { shape, columns, rows, cell, gap, width: lengthOf(columns, width), height: lengthOf(rows, height) };
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
  const inside = left < cell * width && top < cell * height;
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
