import { unreachable } from '../../base/errors.ts';
import { escapeMarkup } from '../../base/text.ts';
import type { CsvValue } from '../../formats/csv.ts';
import { type Layer, type NetworkSpec, outputShapes } from '../../network/spec.ts';
import { joinWords } from '../../verdicts/words.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure, Panel } from '../drawing/figure.ts';
import { colorVariable } from '../drawing/theme.ts';

const BOX = { width: 132, height: 40, gap: 18 };
/** From one row to the next, with the connection between them. */
const ROW_HEIGHT = 78;
const MARGIN = 26;
const TITLE_HEIGHT = 24;

interface Step {
  readonly label: string;
  /** Its name in PyTorch's state_dict; empty if it has none. */
  readonly name: string;
  readonly kind: Layer['kind'] | 'mean';
  /** The size of a sample behind it, `[20, 128, 64, 64]`: first the time steps, if it has any. */
  readonly size: string;
}

/** In px, from the left and from the top. */
interface Point {
  readonly x: number;
  readonly y: number;
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
      'From top to bottom, each row from left to right. Between two rows is the size of one sample: [time steps, channels, height, width], or [time steps, features]. Below a layer is its name in the state. PLIF and LIF are the spiking layers, numbered as in the other figures.',
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
      return `${layer.recurrent === true ? 'recurrent ' : ''}${layer.neuron.kind.toUpperCase()}, layer ${spiking}`;
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
    default:
      return unreachable(layer);
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

function drawPanel({ models, input, rows }: Network, several: boolean): Panel {
  const head = MARGIN + (several ? TITLE_HEIGHT : 0);
  const longest = Math.max(...rows.map(({ length }) => length));
  const leftOf = (column: number): number => MARGIN + column * (BOX.width + BOX.gap);
  const topOf = (row: number): number => head + row * ROW_HEIGHT + 12;
  const centreOf = (column: number): number => leftOf(column) + BOX.width / 2;
  // Within a row from box to box, and from its end below it back to the start of the next.
  const arrows = rows.flatMap((row, r): Point[][] => {
    const [top, middle, bottom] = [topOf(r + 1), topOf(r) + BOX.height / 2, topOf(r) + BOX.height];
    const inner = row.slice(1).map((_, c) => [
      { x: leftOf(c) + BOX.width, y: middle },
      { x: leftOf(c + 1), y: middle },
    ]);
    if (r === rows.length - 1) return inner;
    const [end, start] = [centreOf(row.length - 1), centreOf(0)];
    const way = [
      { x: end, y: bottom },
      { x: end, y: bottom + 19 },
      { x: start, y: bottom + 19 },
      { x: start, y: top },
    ];
    return [...inner, way];
  });
  const last = rows.at(-1) ?? [];
  const end = topOf(rows.length - 1) + BOX.height;
  const width = 2 * MARGIN + longest * BOX.width + (longest - 1) * BOX.gap;
  const height = end + MARGIN + 8;
  const title = several ? models.map((model) => model.title).join(', ') : '';
  const notes = [
    { x: leftOf(0), y: topOf(0) - 12, text: `input ${input}` },
    ...rows.slice(0, -1).map((row, r) => ({
      x: centreOf(0),
      y: topOf(r) + BOX.height + 9,
      text: row.at(-1)?.size ?? '',
    })),
    { x: leftOf(last.length - 1), y: end + 14, text: `class scores ${last.at(-1)?.size ?? ''}` },
  ];
  const grey = colorVariable('grey');
  const spec = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    write(title, { x: 4, y: 15 }, 'font-size="13px" font-weight="600"'),
    ...arrows.flatMap((way) => [
      `<path d="${traceWay(way)}" fill="none" stroke="${grey}" stroke-width="1.3"/>`,
      `<path d="${traceHead(way)}" fill="${grey}"/>`,
    ]),
    ...rows.flatMap((row, r) => row.map((step, c) => drawStep(step, leftOf(c), topOf(r)))),
    ...notes.map(({ text, x, y }) => write(text, { x: x + 8, y }, 'font-size="11px"')),
    '</svg>',
  ];
  return { title, width, height, spec: spec.join('') };
}

/** Layers that learn stand out, and those that spike even more. */
const SHADES: Readonly<Partial<Record<Step['kind'], number>>> = { conv: 0.1, linear: 0.1, neuron: 0.24 };

function drawStep({ label, name, kind }: Step, left: number, top: number): string {
  const [x, middle] = [left + BOX.width / 2, top + BOX.height / 2];
  const centred = 'text-anchor="middle" font-size=';
  return [
    `<rect x="${left}" y="${top}" width="${BOX.width}" height="${BOX.height}" rx="5" fill="currentColor" fill-opacity="${SHADES[kind] ?? 0.02}" stroke="${colorVariable('grey')}"/>`,
    write(label, { x, y: middle - (name === '' ? 0 : 7) }, `${centred}"12px" font-weight="bold"`),
    write(name, { x, y: middle + 8 }, `${centred}"11px" opacity="0.8"`),
  ].join('');
}

/** @param at where the middle of the line is; of ordinary letters at these sizes, it is about 4 px above their feet */
function write(text: string, { x, y }: Point, attributes: string): string {
  if (text === '') return '';
  return `<text x="${x}" y="${y + 4}" ${attributes} fill="currentColor">${escapeMarkup(text)}</text>`;
}

/** From point to point, vertical at each: a straight line between two side by side or one below the other. */
function traceWay([start, ...others]: readonly Point[]): string {
  let { x, y } = start ?? { x: 0, y: 0 };
  const parts = [`M${x},${y}`];
  for (const next of others) {
    const middle = (y + next.y) / 2;
    parts.push(`C${x},${middle} ${next.x},${middle} ${next.x},${next.y}`);
    ({ x, y } = next);
  }
  return parts.join('');
}

/** A triangle that points to the right at the end of a horizontal way, else down. */
function traceHead(way: readonly Point[]): string {
  const { x, y } = way.at(-1) ?? { x: 0, y: 0 };
  return way.at(-2)?.y === y ? `M${x},${y}l-6,-3.5v7Z` : `M${x},${y}l-3.5,-6h7Z`;
}
