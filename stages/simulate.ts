import { type SimulationOptions, writeSimulatedDataset } from '../src/datasets/simulated/dataset-writer.ts';
import { defineStage, requirePath } from '../src/stage/define-stage.ts';

interface Params {
  readonly simulate: SimulationOptions;
}

export default defineStage<Params>({
  summary: 'Simulates gesture recordings in the layout of DVS128 Gesture.',
  async run({ params, outputs, signal, progress, metrics, note }) {
    const root = requirePath(outputs, 0, 'recordings');
    const summary = await writeSimulatedDataset(root, params.simulate, {
      signal,
      progress: (done, total, recording) => progress({ done, total, unit: 'recordings', note: recording }),
    });
    metrics({ ...summary });
    note(
      `${summary.recordings} simulated recordings (no camera, no people); see SIMULATED.txt next to them.`,
    );
  },
});
