/** A stage of a generated graph: it concatenates what it reads into what it writes. */
export interface BenchStage {
  readonly name: string;
  /** The stages whose outputs it reads. */
  readonly reads: readonly string[];
  /** Whether it also reads the folder of data. */
  readonly readsData: boolean;
}

/** Stages in the order in which they can run. */
export interface BenchGraph {
  readonly name: string;
  readonly stages: readonly BenchStage[];
}

/** In a layered graph, each stage reads this many stages of the layer before. */
const readsOfLayer = 2;

/** Like this project's own pipeline: one stage reads the data, ten read what it made, the last reads all of them. */
export function fanGraph(name: string, stages: number): BenchGraph {
  const middle = Array.from({ length: stages - 2 }, (_, i) => `train-${i}`);
  return {
    name,
    stages: [
      { name: 'frames', reads: [], readsData: true },
      ...middle.map((one) => ({ name: one, reads: ['frames'], readsData: false })),
      { name: 'report', reads: middle, readsData: false },
    ],
  };
}

/** Layers of equal width; each stage reads two neighbours in the layer before. Names sort as they run. */
export function layeredGraph(name: string, stages: number, width: number): BenchGraph {
  const nameOf = (index: number): string => `s${String(index).padStart(5, '0')}`;
  return {
    name,
    stages: Array.from({ length: stages }, (_, index) => {
      const layer = Math.floor(index / width);
      const reads = Array.from(
        { length: layer === 0 ? 0 : Math.min(readsOfLayer, width) },
        (_, i) => (layer - 1) * width + ((index + i) % width),
      );
      return { name: nameOf(index), reads: reads.map(nameOf), readsData: false };
    }),
  };
}
