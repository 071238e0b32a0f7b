import type { Shape } from '../snn/maps.ts';

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
