import { arrangeLayers, type Box, type LayerNode, placeBoxes } from '../../graph-layout/layers.ts';
import { joinWords } from '../data/format.ts';
import type { PipelineStage, Results } from '../data/results.ts';
import type { CsvValue, Figure, PanelSpec } from '../drawing/figure.ts';
import { colorVariable } from '../drawing/palette.ts';
import { pixelChannels } from '../drawing/theme.ts';

/** In px. */
const SIZES = { boxHeight: 42, layerHeight: 74, gap: 24, passWidth: 14, margin: 8 };
/** Generous estimates of the mean character width of a box's two lines, so that texts stay inside. */
const NAME_LETTER = 8;
const PATH_LETTER = 6.6;

/** The stages of the pipeline and what they read from each other, from top to bottom in the order of execution. */
export function drawPipeline({ pipeline }: Results): Figure {
  const layers = arrangeLayers(
    pipeline.map(({ name, reads }) => ({ name, dependencies: listDependencies({ reads }) })),
  );
  const stages = new Map(pipeline.map((stage) => [stage.name, stage]));
  const { boxes, width, height } = placeBoxes(layers, SIZES, (name) => {
    const stage = stages.get(name);
    if (stage === undefined) return 0;
    const text = Math.max(nameStage(stage).length * NAME_LETTER, describeOutputs(stage).length * PATH_LETTER);
    return Math.ceil(text) + 24;
  });
  const inactive = pipeline.some(({ active }) => !active);
  return {
    id: 'pipeline',
    title: 'The stages of this run',
    caption: [
      'Arrows lead from a stage to the stages that read its output. Below its name is the folder that it writes. The number behind the name counts its runs, one for each model and seed.',
      ...(inactive ? ['Dashed: not part of this run.'] : []),
    ].join(' '),
    alt: pipeline.map(describeStage).join(' '),
    legend: [],
    columns: 1,
    panels: [{ title: '', spec: drawSpec(layers, stages, boxes, { width, height }), width, height }],
    data: tabulate(pipeline),
  };
}

function listDependencies({ reads }: Pick<PipelineStage, 'reads'>): string[] {
  return [...new Set(reads.flatMap(({ stage }) => stage ?? []))];
}

function nameStage({ name, instances }: PipelineStage): string {
  return instances === null ? name : `${name} × ${instances}`;
}

function describeStage(stage: PipelineStage): string {
  if (!stage.active) return `${stage.name}: not part of this run.`;
  const dependencies = listDependencies(stage);
  return `${nameStage(stage)} ${dependencies.length === 0 ? 'reads from no other stage' : `reads from ${joinWords(dependencies)}`}.`;
}

/** What it writes, with `*` where its runs differ. */
function describeOutputs({ outputs: [first = '', ...more], active }: PipelineStage): string {
  if (!active) return 'not part of this run';
  const path = first.replace(/\$\{[^}]+\}/g, '*');
  return more.length === 0 ? path : `${path} + ${more.length}`;
}

/** The path of an arrow, from the bottom of one box through the layers between to the top of another. */
function traceEdge(from: LayerNode, first: LayerNode, boxes: ReadonlyMap<LayerNode, Box>) {
  const start = boxes.get(from);
  const way = [{ x: start?.x ?? 0, y: (start?.top ?? 0) + SIZES.boxHeight }];
  let node: LayerNode | undefined = first;
  while (node !== undefined) {
    const box = boxes.get(node);
    const passes: boolean = node.stage === null;
    const [x, top] = [box?.x ?? 0, box?.top ?? 0];
    // Straight down beside the boxes of the layer that it passes.
    way.push({ x, y: top }, ...(passes ? [{ x, y: top + SIZES.boxHeight }] : []));
    node = passes ? node.below[0] : undefined;
  }
  return way;
}

function drawSpec(
  layers: readonly (readonly LayerNode[])[],
  stages: ReadonlyMap<string, PipelineStage>,
  boxes: ReadonlyMap<LayerNode, Box>,
  { width, height }: { readonly width: number; readonly height: number },
): PanelSpec {
  const edges = layers
    .flat()
    .filter(({ stage }) => stage !== null)
    .flatMap((node) => node.below.map((below) => traceEdge(node, below, boxes)));
  const drawn = layers.flat().flatMap((node) => {
    const stage = stages.get(node.stage ?? '');
    const box = boxes.get(node);
    if (stage === undefined || box === undefined) return [];
    return [
      {
        x: box.x,
        left: box.x - box.width / 2,
        right: box.x + box.width / 2,
        top: box.top,
        bottom: box.top + SIZES.boxHeight,
        nameAt: box.top + 17,
        pathAt: box.top + 32,
        name: nameStage(stage),
        path: describeOutputs(stage),
        active: stage.active,
      },
    ];
  });
  const { x, y } = pixelChannels(width, height);
  const text = (field: 'name' | 'path', size: number, weight: 'bold' | 'normal') => ({
    data: { values: drawn },
    mark: {
      type: 'text' as const,
      fontSize: size,
      fontWeight: weight,
      color: 'currentColor',
      opacity: weight === 'bold' ? 1 : 0.8,
    },
    encoding: { x, y: { ...y, field: `${field}At` }, text: { field, type: 'nominal' as const } },
  });
  const boxMark = (active: boolean) => ({
    data: { values: drawn.filter((box) => box.active === active) },
    mark: {
      type: 'rect' as const,
      cornerRadius: 5,
      fill: colorVariable(active ? 'ink' : 'grey'),
      fillOpacity: 0.1,
      stroke: colorVariable(active ? 'ink' : 'grey'),
      strokeDash: active ? [1, 0] : [4, 3],
      opacity: 1,
    },
    encoding: {
      x: { ...x, field: 'left' },
      x2: { field: 'right' },
      y: { ...y, field: 'top' },
      y2: { field: 'bottom' },
    },
  });
  return {
    width,
    height,
    padding: 0,
    autosize: 'none',
    layer: [
      ...edges.map((values) => ({
        data: { values },
        mark: {
          type: 'line' as const,
          orient: 'horizontal' as const,
          interpolate: 'monotone' as const,
          color: colorVariable('grey'),
          strokeWidth: 1.3,
        },
        encoding: { x, y },
      })),
      {
        data: { values: edges.flatMap((way) => way.slice(-1)) },
        mark: {
          type: 'point',
          shape: 'triangle-down',
          filled: true,
          color: colorVariable('grey'),
          size: 46,
          opacity: 1,
          yOffset: -4,
        },
        encoding: { x, y },
      },
      boxMark(true),
      boxMark(false),
      text('name', 13, 'bold'),
      text('path', 11, 'normal'),
    ],
  };
}

/** One row per stage and input. */
function tabulate(pipeline: readonly PipelineStage[]): CsvValue[][] {
  const rows: CsvValue[][] = [['stage', 'part_of_this_run', 'runs', 'reads', 'made_by']];
  for (const { name, active, instances, reads } of pipeline) {
    const head = [name, active ? 'yes' : 'no', active ? (instances ?? 1) : 0];
    if (reads.length === 0) rows.push([...head, null, null]);
    for (const { path, stage } of reads) rows.push([...head, path, stage]);
  }
  return rows;
}
