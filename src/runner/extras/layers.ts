/** A node of the drawing: a stage, or the place where an edge crosses a layer. */
export interface LayerNode {
  readonly key: string;
  readonly stage: string | null;
  readonly above: LayerNode[];
  readonly below: LayerNode[];
}

interface Vertex {
  readonly name: string;
  readonly dependencies: readonly string[];
}

/**
 * Arranges stages in layers, each below everything it reads from, and orders every layer so that few edges cross
 * (Sugiyama, Tagawa and Toda 1981: layers, points for long edges, barycentres).
 *
 * @param stages in topological order
 */
export function arrangeLayers(stages: readonly Vertex[]): LayerNode[][] {
  const depth = new Map<string, number>();
  for (const { name, dependencies } of stages) {
    depth.set(name, Math.max(-1, ...dependencies.map((one) => depth.get(one) ?? 0)) + 1);
  }
  const layers: LayerNode[][] = Array.from({ length: Math.max(0, ...depth.values()) + 1 }, () => []);
  const nodes = new Map<string, LayerNode>();
  const place = (layer: number, key: string, stage: string | null): LayerNode => {
    const node: LayerNode = { key, stage, above: [], below: [] };
    layers[layer]?.push(node);
    return node;
  };
  for (const { name } of stages) nodes.set(name, place(depth.get(name) ?? 0, name, name));
  for (const { name, dependencies } of stages) {
    for (const dependency of dependencies) {
      let upper = nodes.get(dependency);
      for (let layer = (depth.get(dependency) ?? 0) + 1; upper !== undefined; layer += 1) {
        const arrived = layer >= (depth.get(name) ?? 0);
        const lower = arrived ? nodes.get(name) : place(layer, `${dependency}>${name}`, null);
        if (lower === undefined) break;
        upper.below.push(lower);
        lower.above.push(upper);
        upper = arrived ? undefined : lower;
      }
    }
  }
  // Down, up and down again: more passes do not improve graphs of this kind.
  sortLayers(layers, 'above');
  sortLayers([...layers].reverse(), 'below');
  sortLayers(layers, 'above');
  return layers;
}

function sortLayers(layers: readonly LayerNode[][], side: 'above' | 'below'): void {
  const position = new Map<LayerNode, number>();
  for (const layer of layers) {
    const weight = new Map(
      layer.map((node, index) => {
        const neighbours = node[side];
        const sum = neighbours.reduce((total, one) => total + (position.get(one) ?? 0), 0);
        return [node, neighbours.length === 0 ? (index + 0.5) / layer.length : sum / neighbours.length];
      }),
    );
    layer.sort((a, b) => (weight.get(a) ?? 0) - (weight.get(b) ?? 0));
    // Relative positions, so that layers of different widths can be compared.
    for (const [index, node] of layer.entries()) position.set(node, (index + 0.5) / layer.length);
  }
}

/** Lengths of a drawing, in px. */
interface GraphSizes {
  readonly boxHeight: number;
  /** From the top of a layer to the top of the next. */
  readonly layerHeight: number;
  /** Between boxes side by side. */
  readonly gap: number;
  /** What an edge takes in a layer that it crosses. */
  readonly passWidth: number;
  /** Around the drawing. */
  readonly margin: number;
}

/** Where a node is drawn, in px. */
export interface Box {
  /** Centre. */
  readonly x: number;
  readonly top: number;
  readonly width: number;
}

/** Every layer centred on one axis, its nodes in their order with a gap between them; and the size of the whole drawing. */
export function placeBoxes(
  layers: readonly (readonly LayerNode[])[],
  { boxHeight, layerHeight, gap, passWidth, margin }: GraphSizes,
  widthOf: (stage: string) => number,
): { readonly boxes: ReadonlyMap<LayerNode, Box>; readonly width: number; readonly height: number } {
  const nodeWidth = ({ stage }: LayerNode): number => (stage === null ? passWidth : widthOf(stage));
  const widths = layers.map(
    (layer) => layer.reduce((sum, node) => sum + nodeWidth(node), 0) + gap * (layer.length - 1),
  );
  const centre = Math.max(0, ...widths) / 2 + margin;
  const boxes = new Map<LayerNode, Box>();
  for (const [index, layer] of layers.entries()) {
    let left = centre - (widths[index] ?? 0) / 2;
    for (const node of layer) {
      const width = nodeWidth(node);
      boxes.set(node, { x: left + width / 2, top: margin + index * layerHeight, width });
      left += width + gap;
    }
  }
  const right = Math.max(0, ...[...boxes.values()].map(({ x, width }) => x + width / 2));
  const height = layers.length * layerHeight - (layerHeight - boxHeight) + 2 * margin;
  return { boxes, width: right + margin, height };
}
