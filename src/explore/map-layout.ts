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

/** The side that maps should have, in CSS px: about a ninth of the width, so that eight fit. */
const MAP_SIDE = { share: 1 / 9, least: 24, most: 64 };
/** Of single neurons, which are maps of one cell. */
const NEURON_SIDE = 20;
/** How far beyond it they may grow before they are rounded to whole pixels; linear layers rather fill the width. */
const GROWTH = { map: 1.05, neuron: 1.5 };
/** What an incomplete last row counts for: as much as maps that are 1.6 times too large or too small, or fill the width 1.6 times. */
const RAGGED = Math.log(1.6);
const LEAST_GAP = 3;
const LARGEST_GAP = 8;
const NEURON_GAP = 2;

/**
 * Chooses how many maps stand side by side: a number that gives maps of about the right size, fills the width, and rather the last row, too.
 *
 * @param widthPx of the whole mosaic, in CSS px
 * @param pixelRatio pixels of the screen per CSS px
 */
export function layoutMaps(shape: MapShape, widthPx: number, pixelRatio: number): MapLayout {
  const [channels, height, width] = shape;
  const single = height * width === 1;
  const room = Math.max(1, Math.floor(widthPx * pixelRatio));
  const least = Math.round((single ? NEURON_GAP : LEAST_GAP) * pixelRatio);
  const most = single ? least : Math.round(LARGEST_GAP * pixelRatio);
  const wanted = Math.min(Math.max(widthPx * MAP_SIDE.share, MAP_SIDE.least), MAP_SIDE.most);
  const target = (single ? NEURON_SIDE : wanted) * pixelRatio;
  const largest = Math.max(1, Math.round((target * (single ? GROWTH.neuron : GROWTH.map)) / width));
  let [best, lowest] = [null as MapLayout | null, Infinity];
  for (let columns = 1; columns <= channels; columns++) {
    const fits = (room - (columns - 1) * least) / columns / width;
    if (fits <= 0) break;
    const cell = fits >= 1 ? Math.min(Math.floor(fits), largest) : 1 / Math.ceil(1 / fits);
    const spare = columns === 1 ? 0 : Math.floor((room - columns * cell * width) / (columns - 1));
    const gap = Math.max(least, Math.min(spare, most));
    const rows = Math.ceil(channels / columns);
    const total = Math.ceil(columns * cell * width + (columns - 1) * gap);
    const ragged = columns < channels && channels % columns !== 0;
    const cost = Math.abs(Math.log((cell * width) / target)) + Math.log(room / total) + (ragged ? RAGGED : 0);
    if (cost > lowest) continue;
    lowest = cost;
    best = {
      shape,
      columns,
      rows,
      cell,
      gap,
      width: total,
      height: Math.ceil(rows * cell * height + (rows - 1) * gap),
    };
  }
  return best!;
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
