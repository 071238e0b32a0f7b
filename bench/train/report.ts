import type { FirstStep, Result } from './contestant.ts';
import type { Mode } from './options.ts';
import type { Workload } from './workload.ts';

/** The contestants of one workload, and with how many samples each ran. */
export interface Round {
  readonly workload: Workload;
  readonly mode: Mode;
  /** Of each tuned peer, one step alone: the fastest is among the results. */
  readonly heats: Round['results'];
  readonly results: readonly (Result & { readonly role: Role; readonly samples: number })[];
}
export type Role = 'plain' | 'peer' | 'engine' | 'tfjs';

/**
 * Engines add in different orders, so now and then a potential lands on the other side of the threshold, and one flipped spike flips
 * others. A real difference moves the figures much further.
 */
const tolerances = { loss: 0.1, density: 0.005 } as const;

/** Seconds per sample. */
export function perSample({ steps, samples }: Round['results'][number]): number {
  return median(steps.map(({ wall }) => wall)) / samples;
}

/** What all other times are compared with. */
function yardstick({ results }: Round) {
  return results.find(({ role }) => role === 'peer') ?? results.find(({ role }) => role === 'plain');
}

export function describeRound(round: Round): string {
  const { workload, mode, results } = round;
  const { input, tau, batch, steps } = workload;
  const peer = yardstick(round);
  const rows = results.map((result) => {
    const walls = result.steps.map(({ wall }) => wall);
    const processor = median(result.steps.map(({ processor }) => processor));
    const times = [median(walls), Math.min(...walls), processor, perSample(result)].map((value) =>
      value.toFixed(3),
    );
    const ratio = peer === undefined ? '' : `${(perSample(peer) / perSample(result)).toFixed(2)} x`;
    const others = median(result.steps.map(({ disturbance }) => disturbance)).toFixed(2);
    return [result.label, String(result.samples), ...times, others, gigabytes(result.peakBytes), ratio];
  });
  const header = [
    '',
    'samples',
    'median s',
    'least s',
    'processor s',
    's/sample',
    'busy otherwise',
    'peak memory',
    'speed',
  ];
  return [
    `\n${input}, τ per ${tau}, ${mode}, batch ${batch}, T = ${steps}`,
    ...alignColumns([header, ...rows]),
    ...compareWithTfjs(round),
    ...round.heats.map(
      (heat) =>
        `  ${heat.label}, alone: ${perSample(heat).toFixed(3)} s/sample, ${gigabytes(heat.peakBytes)}`,
    ),
    ...results.map(({ label, first }) => `  first step of ${label}: ${describeFirst(first)}`),
  ].join('\n');
}

function compareWithTfjs({ results }: Round): string[] {
  const [engine, tfjs] = (['engine', 'tfjs'] as const).map((wanted) =>
    results.find(({ role }) => role === wanted),
  );
  if (engine === undefined || tfjs === undefined) return [];
  return [
    `  ${engine.label} is ${(perSample(tfjs) / perSample(engine)).toFixed(0)} x as fast as ${tfjs.label}`,
  ];
}

function describeFirst({ loss, densities }: FirstStep): string {
  const shares = densities.map((share) => (100 * share).toFixed(2)).join(' ');
  return `${loss === null ? '' : `loss ${loss.toFixed(6)}, `}spikes ${shares} %`;
}

/** @returns what differs between contestants that ran the same samples, if anything; those that compute in bfloat16 are not compared */
export function compareFirstSteps({ heats, results }: Round): string[] {
  const [reference, ...others] = [...results, ...heats].filter(({ label }) => !label.includes('bfloat16'));
  return others
    .filter(({ samples }) => samples === reference?.samples)
    .flatMap(({ label, first }) => {
      const expected = reference!.first;
      const problems = expected.densities.flatMap((density, layer) => {
        const got = first.densities[layer] ?? Number.NaN;
        return Math.abs(got - density) <= tolerances.density
          ? []
          : [`layer ${layer}: density ${got}, not ${density}`];
      });
      const difference = Math.abs((first.loss ?? 0) - (expected.loss ?? 0));
      if (!(difference <= tolerances.loss * (expected.loss ?? 1))) {
        problems.push(`loss ${first.loss}, not ${expected.loss}`);
      }
      return problems.map((problem) => `${label} differs from ${reference!.label}: ${problem}`);
    });
}

/** The rounds as one Markdown table: seconds per sample, and ratios to the fastest PyTorch. */
export function summarise(rounds: readonly Round[]): string {
  const header = [
    'input',
    'τ per',
    'mode',
    'batch',
    'PyTorch as it comes',
    'fastest PyTorch',
    'engine',
    'speed',
  ];
  const rows = rounds.map((round) => {
    const find = (wanted: Role) => round.results.find(({ role }) => role === wanted);
    const cell = (role: Role) => {
      const result = find(role);
      return result === undefined ? '–' : `${perSample(result).toFixed(3)} s, ${gigabytes(result.peakBytes)}`;
    };
    const [peer, engine] = [yardstick(round), find('engine')];
    const speed = peer && engine ? `${(perSample(peer) / perSample(engine)).toFixed(1)} x` : '–';
    const memory = peer && engine ? `1/${(peer.peakBytes / engine.peakBytes).toFixed(1)}` : '–';
    const { input, tau, batch } = round.workload;
    return [
      input,
      tau,
      round.mode,
      String(batch),
      cell('plain'),
      peer?.role === 'peer' ? `${cell('peer')} (${peer.label.replace('PyTorch, ', '')})` : '–',
      cell('engine'),
      speed,
      memory,
    ];
  });
  const lines = [[...header, 'memory'], [...header, ''].map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(
    (row) =>
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ')}`,
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
