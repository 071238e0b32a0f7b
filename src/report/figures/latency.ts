import { nameEpoch } from '../data/epochs.ts';
import { formatShare, sentences } from '../data/format.ts';
import type { Results, RunResult } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { modelColor } from '../drawing/palette.ts';
import { describeBand, modelLegend } from './curves.ts';
import { averageSeeds, type ChooseAxis, drawEpochPanel, type EpochLine, fitAxis } from './epoch-panel.ts';
import { tabulateRuns } from './run-table.ts';

const AXIS: ChooseAxis = (lowest, highest) => ({
  domain: [lowest < 0.3 ? 0 : Math.floor(10 * lowest) / 10, Math.min(1, Math.ceil(20 * highest) / 20)],
  axisTitle: 'test accuracy',
  format: 'percent',
});

/** The test accuracy after each time step, one line per model; null if no evaluation has it. */
export function drawLatency(results: Results): Figure | null {
  const lines = results.models.map(({ title, runs }, index): EpochLine => {
    const seeds = runs.filter(({ correctByStep }) => correctByStep !== null).map(listAccuracies);
    const series = seeds.length > 1 ? averageSeeds(seeds, [0, 1]) : { line: seeds.flat(), raw: [], band: [] };
    return { label: title, series, color: modelColor(index), mark: 'line' };
  });
  const steps = Math.max(...lines.map(({ series }) => series.line.length));
  if (steps === 0) return null;
  const { axis, notes } = fitAxis(lines, AXIS, null);
  const seeds = results.seeds.length;
  const ends = lines.flatMap(({ label, series: { line } }) => {
    const [first, last] = [line[0], line.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [`${label}: ${formatShare(first.value)} after step 1, ${formatShare(last.value)} in the end.`];
  });
  return {
    id: 'latency',
    title: 'Test accuracy after each time step',
    caption: sentences(
      `Share of the test clips whose class has the most votes up to a step, at the ${nameEpoch(results.models)}; the last step gives the test accuracy.`,
      seeds > 1 && `Lines are means over ${seeds} seeds, bands the ${describeBand(seeds)}.`,
      ...notes,
    ),
    alt: sentences(`Line plot of the test accuracy over ${steps} time steps, one line per model.`, ...ends),
    legend: modelLegend(results).filter(({ mark }) => mark !== 'thin'),
    columns: 1,
    panels: [
      drawEpochPanel({
        ...{ title: '', lines, counts: 'time step', epochs: [1, steps] },
        ...{ ...axis, size: { width: 560, height: 280 } },
      }),
    ],
    data: tabulateRuns(results, ['step', 'clips', 'correct', 'accuracy'], ({ correctByStep, test }) =>
      (correctByStep ?? []).map((correct, index) => [index + 1, test.clips, correct, correct / test.clips]),
    ),
  };
}

function listAccuracies({ correctByStep, test }: RunResult) {
  return (correctByStep ?? []).map((correct, index) => ({ epoch: index + 1, value: correct / test.clips }));
}
