import { type Layer, type NetworkSpec, outputShapes } from '../../snn/spec.ts';
import { joinWords } from '../data/format.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { CsvValue, Figure, Panel, PanelSpec } from '../drawing/figure.ts';
import { colorVariable } from '../drawing/palette.ts';
import { pixelChannels } from '../drawing/theme.ts';

const BOX = { width: 132, height: 40, gap: 18 };
/** From one row to the next, with the connection between them. */
const ROW_HEIGHT = 78;
const MARGIN = 26;
const TITLE_HEIGHT = 24;

/** A layer as it is drawn. */
interface Step {
  readonly label: string;
  /** Its name in PyTorch's state_dict; empty if it has none. */
  readonly name: string;
  readonly kind: Layer['kind'] | 'mean';
  /** The size of a sample behind it, `[20, 128, 64, 64]`: first the time steps, if it has any. */
  readonly size: string;
}

interface Network {
  /** Those that are built like this, apart from their τ. */
  readonly models: readonly ModelResult[];
  readonly input: string;
  readonly rows: readonly (readonly Step[])[];
}

/**
 * The layers of the networks with the sizes behind them, as rows of boxes; models that differ in their τ alone share a drawing.
 *
 * @see Pazderka 2024, figure 3
 */
export function drawNetwork(results: Results): Figure {
  const networks = groupModels(results.models);
  const several = networks.length > 1;
  return {
    id: 'network',
    title: several ? 'The networks' : 'The network',
    caption:
      'Read from top to bottom, each row from left to right. Between two rows is the size of one sample there: [time steps, channels, height, width], or [time steps, features]. Below a layer is its name in the state. PLIF and LIF are the spiking layers, numbered as in the other figures.',
    alt: networks.map((network) => describe(network, several)).join(' '),
    legend: [],
    columns: 1,
    panels: networks.map((network) => drawPanel(network, several)),
    data: [
      ['models', 'layer', 'name', 'kind', 'description', 'output_size'],
      ...networks.flatMap(({ models, rows }) =>
        rows
          .flat()
          .map(({ label, name, kind, size }, index): CsvValue[] => [
            models.map(({ id }) => id).join(' '),
            index + 1,
            name === '' ? null : name,
            kind,
            label,
            size,
          ]),
      ),
    ],
  };
}

function groupModels(models: readonly ModelResult[]): Network[] {
  const groups = new Map<string, Network>();
  for (const model of models) {
    const [run] = model.runs;
    if (run === undefined) continue;
    const drawn = arrange(run.spec, run.frames.steps);
    const key = JSON.stringify(drawn);
    groups.set(key, { ...drawn, models: [...(groups.get(key)?.models ?? []), model] });
  }
  return [...groups.values()];
}

/** @param frameSteps the time steps of event frames */
function arrange(spec: NetworkSpec, frameSteps: number): Omit<Network, 'models'> {
  const shapes = outputShapes(spec);
  const still = spec.layers.find((layer) => layer.kind === 'repeat');
  const steps = still?.steps ?? frameSteps;
  let timed = still === undefined;
  let spiking = 0;
  const rows: Step[][] = [[]];
  const sizeOf = (shape: readonly number[]): string =>
    `[${[...(timed ? [steps] : []), ...shape].join(', ')}]`;
  const input = sizeOf(spec.input);
  spec.layers.forEach((layer, index) => {
    if (layer.kind === 'repeat') timed = true;
    if (layer.kind === 'neuron') spiking += 1;
    if (beginsRow(layer, spec.layers[index - 1])) rows.push([]);
    rows.at(-1)?.push({
      label: labelOf(layer, spiking),
      name: 'name' in layer ? layer.name : '',
      kind: layer.kind,
      size: sizeOf(shapes[index] ?? []),
    });
  });
  timed = false;
  rows.at(-1)?.push({
    label: `mean of ${steps} steps`,
    name: '',
    kind: 'mean',
    size: sizeOf([spec.classes]),
  });
  return { input, rows };
}

/** A row is what belongs to one layer with weights; what turns a still image into a current is one of its own. */
function beginsRow(layer: Layer, before: Layer | undefined): boolean {
  if (before === undefined) return false;
  if (before.kind === 'repeat' || layer.kind === 'conv' || layer.kind === 'flatten') return true;
  return (layer.kind === 'dropout' || layer.kind === 'linear') && before.kind === 'neuron';
}

/** @param spiking the number of spiking layers so far */
function labelOf(layer: Layer, spiking: number): string {
  switch (layer.kind) {
    case 'conv':
      return `conv ${layer.kernel}×${layer.kernel} → ${layer.outChannels}`;
    case 'batch-norm':
      return 'batch norm';
    case 'neuron':
      return `${layer.neuron.kind.toUpperCase()}, layer ${spiking}`;
    case 'repeat':
      return `repeat ${layer.steps} times`;
    case 'pool':
      return `${layer.mode} pool ${layer.size}×${layer.size}`;
    case 'flatten':
      return 'flatten';
    case 'dropout':
      return `dropout ${layer.probability}`;
    case 'linear':
      return `linear → ${layer.outFeatures}`;
    case 'vote':
      return `mean of each ${layer.group}`;
  }
}

function describe({ models, input, rows }: Network, several: boolean): string {
  const whose = several ? ` of ${joinWords(models.map(({ title }) => title))}` : '';
  const texts = rows.map((row) => {
    const layers = row.map(({ label, name }) => (name === '' ? label : `${label} (${name})`));
    return `${layers.join(', ')}: ${row.at(-1)?.size ?? ''}.`;
  });
  return `The layers${whose}, from an input of ${input}, and the size behind each row: ${texts.join(' ')}`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function drawPanel({ models, input, rows }: Network, several: boolean): Panel {
  const title = several ? models.map((model) => model.title).join(', ') : '';
  const head = MARGIN + (several ? TITLE_HEIGHT : 0);
  const longest = Math.max(...rows.map(({ length }) => length));
  const width = 2 * MARGIN + longest * BOX.width + (longest - 1) * BOX.gap;
  const leftOf = (column: number): number => MARGIN + column * (BOX.width + BOX.gap);
  const topOf = (row: number): number => head + row * ROW_HEIGHT + 12;
  const boxes = rows.flatMap((row, r) =>
    row.map(({ label, name, kind }, c) => {
      const [left, top] = [leftOf(c), topOf(r)];
      return {
        x: left + BOX.width / 2,
        left,
        right: left + BOX.width,
        top,
        bottom: top + BOX.height,
        labelAt: top + (name === '' ? BOX.height / 2 : 14),
        nameAt: top + 29,
        label,
        name,
        fill: FILLS[kind] ?? 0.02,
      };
    }),
  );
  const height = topOf(rows.length - 1) + BOX.height + MARGIN + 8;
  // Within a row from box to box, and from its end below it back to the start of the next.
  const arrows: Point[][] = rows.flatMap((row, r) => {
    const middle = topOf(r) + BOX.height / 2;
    const inner = row.slice(1).map((_, c) => [
      { x: leftOf(c) + BOX.width, y: middle },
      { x: leftOf(c + 1), y: middle },
    ]);
    const end = leftOf(row.length - 1) + BOX.width / 2;
    const below = topOf(r) + BOX.height + 19;
    const start = leftOf(0) + BOX.width / 2;
    if (r === rows.length - 1) return inner;
    const way = [
      { x: end, y: topOf(r) + BOX.height },
      { x: end, y: below },
      { x: start, y: below },
      { x: start, y: topOf(r + 1) },
    ];
    return [...inner, way];
  });
  const last = rows.at(-1) ?? [];
  const sizes = [
    { x: leftOf(0), y: topOf(0) - 12, size: `input ${input}` },
    ...rows.slice(0, -1).map((row, r) => ({
      x: leftOf(0) + BOX.width / 2,
      y: topOf(r) + BOX.height + 9,
      size: row.at(-1)?.size ?? '',
    })),
    {
      x: leftOf(last.length - 1),
      y: topOf(rows.length - 1) + BOX.height + 14,
      size: `class scores ${last.at(-1)?.size ?? ''}`,
    },
  ];
  return { title, width, height, spec: drawSpec({ width, height, title, boxes, arrows, sizes }) };
}

/** Layers that learn stand out, and those that spike even more. */
const FILLS: Readonly<Partial<Record<Step['kind'], number>>> = { conv: 0.1, linear: 0.1, neuron: 0.24 };

interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly boxes: readonly Readonly<Record<string, string | number>>[];
  readonly arrows: readonly (readonly Point[])[];
  readonly sizes: readonly (Point & { readonly size: string })[];
}

function drawSpec({ width, height, title, boxes, arrows, sizes }: Drawing): PanelSpec {
  const { x, y } = pixelChannels(width, height);
  const ends = arrows.map((way) => {
    const [before, end] = [way.at(-2), way.at(-1)];
    return { ...end, angle: before?.x === end?.x ? 180 : 90 };
  });
  const text = (field: 'label' | 'name', fontSize: number) => ({
    data: { values: [...boxes] },
    mark: {
      type: 'text' as const,
      fontSize,
      fontWeight: field === 'label' ? ('bold' as const) : ('normal' as const),
      baseline: 'middle' as const,
      color: 'currentColor',
      opacity: field === 'label' ? 1 : 0.8,
    },
    encoding: { x, y: { ...y, field: `${field}At` }, text: { field, type: 'nominal' as const } },
  });
  return {
    width,
    height,
    padding: 0,
    autosize: 'none',
    ...(title === '' ? {} : { title: { text: title, dx: 4, offset: -MARGIN } }),
    layer: [
      ...arrows.map((way) => ({
        data: { values: way.map((point, order) => ({ ...point, order })) },
        mark: { type: 'line' as const, color: colorVariable('grey'), strokeWidth: 1.3 },
        encoding: { x, y, order: { field: 'order', type: 'quantitative' as const } },
      })),
      {
        data: { values: ends },
        mark: {
          type: 'point',
          shape: 'triangle-up',
          filled: true,
          color: colorVariable('grey'),
          size: 40,
          opacity: 1,
        },
        encoding: { x, y, angle: { field: 'angle', type: 'quantitative', scale: null } },
      },
      {
        data: { values: [...boxes] },
        mark: {
          type: 'rect',
          cornerRadius: 5,
          fill: 'currentColor',
          stroke: colorVariable('grey'),
          opacity: 1,
        },
        encoding: {
          x: { ...x, field: 'left' },
          x2: { field: 'right' },
          y: { ...y, field: 'top' },
          y2: { field: 'bottom' },
          fillOpacity: { field: 'fill', type: 'quantitative', scale: null },
        },
      },
      text('label', 12),
      text('name', 11),
      {
        data: { values: [...sizes] },
        mark: { type: 'text', align: 'left', baseline: 'middle', dx: 8, fontSize: 11, color: 'currentColor' },
        encoding: { x, y, text: { field: 'size', type: 'nominal' } },
      },
    ],
  };
}
