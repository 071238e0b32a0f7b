import { arrangeLayers, type Box, type LayerNode, placeBoxes } from '../../graph-layout/layers.ts';
import { joinWords } from '../data/format.ts';
import type { PipelineStage, Results } from '../data/results.ts';
import { type DrawingPoint, drawBoxes } from '../drawing/boxes.ts';
import type { Figure } from '../drawing/figure.ts';

/** In px. */
const SIZES = { boxHeight: 42, layerHeight: 74, gap: 24, passWidth: 14, margin: 8 };
/** Generous estimates of the mean character width of a box's two lines, so that texts stay inside. */
const NAME_LETTER = 8;
const PATH_LETTER = 6.6;

/** The stages of the pipeline and what they read from each other, from top to bottom in the order of execution. */
export function drawPipeline({ pipeline }: Results): Figure {
  const stages = new Map(pipeline.map((stage) => [stage.name, stage]));
  const layers = arrangeLayers(pipeline.map(({ name, reads }) => ({ name, dependencies: reads })));
  const { boxes, width, height } = placeBoxes(layers, SIZES, (name) => {
    const stage = stages.get(name);
    if (stage === undefined) return 0;
    const text = Math.max(nameStage(stage).length * NAME_LETTER, describeOutputs(stage).length * PATH_LETTER);
    return Math.ceil(text) + 24;
  });
  const placed = [...boxes].flatMap(([node, box]) => {
    const stage = stages.get(node.stage ?? '');
    return stage === undefined ? [] : [{ node, box, stage }];
  });
  const panel = drawBoxes({
    width,
    height,
    boxHeight: SIZES.boxHeight,
    boxes: placed.map(({ box, stage }) => ({
      left: box.x - box.width / 2,
      top: box.top,
      width: box.width,
      label: nameStage(stage),
      detail: describeOutputs(stage),
      shade: 0.1,
      stroke: 'ink',
    })),
    arrows: placed.flatMap(({ node }) => node.below.map((below) => traceEdge(node, below, boxes))),
  });
  return {
    id: 'pipeline',
    title: 'The stages of this run',
    caption:
      'Arrows lead from a stage to the stages that read its output. Below its name is the folder that it writes, behind it the number of its runs: one for each model and seed.',
    alt: pipeline.map(describeStage).join(' '),
    legend: [],
    columns: 1,
    panels: [panel],
    // One row per stage and what it reads.
    data: [
      ['stage', 'runs', 'reads', 'made_by'],
      ...pipeline.flatMap(({ name, instances, reads, sources }) => {
        const head = [name, instances ?? 1];
        const made = reads.flatMap((stage) =>
          (stages.get(stage)?.outputs ?? []).map((output) => [...head, output, stage]),
        );
        const rows = [...made, ...sources.map((source) => [...head, source, null])];
        return rows.length === 0 ? [[...head, null, null]] : rows;
      }),
    ],
  };
}

function nameStage({ name, instances }: PipelineStage): string {
  return instances === null ? name : `${name} × ${instances}`;
}

function describeStage(stage: PipelineStage): string {
  const { reads } = stage;
  return `${nameStage(stage)} ${reads.length === 0 ? 'reads from no other stage' : `reads from ${joinWords(reads)}`}.`;
}

function describeOutputs({ outputs: [first = '', ...more] }: PipelineStage): string {
  return more.length === 0 ? first : `${first} + ${more.length}`;
}

/** The path of an arrow, from the bottom of one box through the layers between to the top of another. */
function traceEdge(from: LayerNode, first: LayerNode, boxes: ReadonlyMap<LayerNode, Box>): DrawingPoint[] {
  const placeOf = (node: LayerNode) => boxes.get(node) ?? { x: 0, top: 0 };
  const way = [{ x: placeOf(from).x, y: placeOf(from).top + SIZES.boxHeight }];
  for (let node: LayerNode | undefined = first; node !== undefined; ) {
    const { x, top } = placeOf(node);
    const passes: boolean = node.stage === null;
    // Straight down beside the boxes of the layer that it passes.
    way.push({ x, y: top }, ...(passes ? [{ x, y: top + SIZES.boxHeight }] : []));
    node = passes ? node.below[0] : undefined;
  }
  return way;
}
