import type { SimulationOptions } from '../src/data/simulated/dataset.ts';
import { writeSimulatedDataset } from '../src/data/simulated/dataset-writer.ts';
import { type TwoScalesOptions, writeTwoScales } from '../src/data/simulated/two-scales.ts';
import { defineStage, requireOutput } from '../src/runner/stage/define-stage.ts';

interface Params {
  /** Which of the two belongs to `dataset.name`: the profile's schema says so. */
  readonly simulate: SimulationOptions | TwoScalesOptions;
}

export default defineStage<Params>({
  summary: 'Simulates recordings: gestures in the layout of DVS128 Gesture, or the task of two time scales.',
  async run({ params: { simulate }, outputs, signal, progress, metrics, note }) {
    const root = requireOutput(outputs, 0, 'recordings');
    const hooks = {
      signal,
      progress: (done: number, total: number, recording: string) =>
        progress({ done, total, unit: 'recordings', note: recording }),
    };
    const summary =
      'trainClips' in simulate
        ? await writeTwoScales(root, simulate, hooks)
        : await writeSimulatedDataset(root, simulate, hooks);
    metrics({ ...summary });
    note(
      `${summary.recordings} simulated recordings (no camera, no people); see SIMULATED.txt next to them.`,
    );
  },
});
