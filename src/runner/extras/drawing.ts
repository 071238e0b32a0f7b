import { unreachable } from '../../base/errors.ts';
import { escapeMarkup } from '../../base/text.ts';
import { type FoldedStage, foldPlan, nameFolded } from '../plan/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { arrangeLayers, type Box, type LayerNode, placeBoxes } from './layers.ts';

type GraphFormat = 'text' | 'svg' | 'json';

/** Draws the stages of a plan and what they read from each other; the instances of a matrix are drawn as one. */
export function renderGraph(plan: Plan, format: GraphFormat): string {
  switch (format) {
    case 'text':
      return drawText(plan);
    case 'svg':
      return drawSvg(plan);
    case 'json':
      return drawJson(plan);
    default:
      return unreachable(format);
  }
}

/** One line per stage, in run order: name, what it reads from, what it makes. */
function drawText(plan: Plan): string {
  const rows = foldPlan(plan).map((stage) => ({
    name: nameFolded(stage),
    reads: [...stage.dependencies, ...stage.sources].join(', '),
    outputs: stage.outputs.join(', '),
  }));
  const nameWidth = Math.max(
    0,
    ...[...rows.map(({ name }) => name), ...plan.inactive].map(({ length }) => length),
  );
  // A stage with many inputs must not push all outputs off the screen.
  const readsWidth = Math.min(60, Math.max(0, ...rows.map(({ reads }) => reads.length)));
  const lines = rows.map(
    ({ name, reads, outputs }) =>
      `${name.padEnd(nameWidth)}  ${reads === '' ? '  ' : '<-'} ${reads.padEnd(readsWidth)}  -> ${outputs}`,
  );
  const left = plan.inactive.map((name) => `${name.padEnd(nameWidth)}  (not in profile ${plan.profile})`);
  return [...lines, ...left].join('\n');
}

function drawJson(plan: Plan): string {
  const document = {
    version: 1,
    command: 'graph',
    profile: plan.profile,
    instances: [...plan.instances.values()].map((instance) => ({
      id: instance.id,
      stage: instance.stage,
      matrix: instance.matrix,
      command: instance.command,
      params: instance.params,
      inputs: instance.inputs.map(({ path, external }) => ({ path, external })),
      outputs: instance.outputs,
      dependencies: plan.dependencies.get(instance.id) ?? [],
      resources: instance.resources,
    })),
    inactive: plan.inactive,
  };
  return JSON.stringify(document, null, 2);
}

/** All lengths in pixels. A monospaced letter is 0.6 times its font size wide. */
const nameLetter = 14 * 0.6;
const pathLetter = 11 * 0.6;
const sizes = { boxHeight: 46, layerHeight: 92, gap: 28, passWidth: 14, margin: 20 };

/** A self-contained picture of the graph, from the first stage at the top to the last at the bottom. */
function drawSvg(plan: Plan): string {
  const folded = foldPlan(plan);
  const inactive = plan.inactive.map(
    (name): FoldedStage => ({ name, instances: [], dependencies: [], sources: [], outputs: [] }),
  );
  const stages = new Map([...inactive, ...folded].map((stage) => [stage.name, stage]));
  const layers = arrangeLayers([...stages.values()]);
  const placed = placeBoxes(layers, sizes, (name) => {
    const stage = stages.get(name);
    if (stage === undefined) return 0;
    const subtitle = describeBox(stage, plan.profile);
    return Math.max(nameFolded(stage).length * nameLetter, subtitle.length * pathLetter) + 28;
  });
  const { boxes, height } = placed;
  const width = Math.ceil(placed.width);

  const edges: string[] = [];
  const shapes: string[] = [];
  for (const node of layers.flat()) {
    const box = boxes.get(node);
    if (box === undefined) continue;
    for (const lower of node.below) edges.push(drawEdge(node, box, lower, boxes.get(lower) ?? box));
    const stage = stages.get(node.stage ?? '');
    if (stage !== undefined) shapes.push(drawBox(stage, box, plan.profile));
  }
  const title = `The pipeline with profile ${plan.profile}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="ui-monospace, Menlo, Consolas, monospace">`,
    `<title>${escapeMarkup(title)}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#5b6b7f"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<g fill="none" stroke="#5b6b7f" stroke-width="1.4">`,
    ...edges,
    '</g>',
    ...shapes,
    '</svg>',
  ].join('\n');
}

function drawEdge(upper: LayerNode, from: Box, lower: LayerNode, to: Box): string {
  const { boxHeight } = sizes;
  const start = upper.stage === null ? from.top + boxHeight / 2 : from.top + boxHeight;
  const end = lower.stage === null ? to.top + boxHeight / 2 : to.top;
  const middle = (start + end) / 2;
  const arrow = lower.stage === null ? '' : ' marker-end="url(#arrow)"';
  const [x1, x2] = [from.x.toFixed(1), to.x.toFixed(1)];
  return `<path d="M${x1} ${start}C${x1} ${middle} ${x2} ${middle} ${x2} ${end}"${arrow}/>`;
}

function drawBox(stage: FoldedStage, { x, top, width }: Box, profile: string): string {
  const active = stage.instances.length > 0;
  const style = active
    ? 'fill="#eef4fb" stroke="#3b6ea5"'
    : 'fill="#f6f6f6" stroke="#9a9a9a" stroke-dasharray="4"';
  const left = (x - width / 2).toFixed(1);
  const text = (dy: number, size: number, fill: string, content: string): string =>
    `<text x="${x.toFixed(1)}" y="${top + dy}" font-size="${size}" fill="${fill}" text-anchor="middle">${escapeMarkup(content)}</text>`;
  return [
    `<rect x="${left}" y="${top}" width="${width.toFixed(1)}" height="${sizes.boxHeight}" rx="6" ${style}/>`,
    text(19, 14, active ? '#1d2b3a' : '#6b6b6b', nameFolded(stage)),
    text(36, 11, '#5b6b7f', describeBox(stage, profile)),
  ].join('\n');
}

function describeBox(stage: FoldedStage, profile: string): string {
  if (stage.instances.length === 0) return `not in profile ${profile}`;
  const [first = '', ...more] = stage.outputs;
  return more.length === 0 ? first : `${first} + ${more.length}`;
}
