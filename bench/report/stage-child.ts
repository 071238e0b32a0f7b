import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { MetricValue, StageInputs } from '../../src/runner/stage/define-stage.ts';
import report from '../../stages/report.ts';

/** What the stage is given, as its context has it. */
export interface StageTask {
  readonly inputs: StageInputs;
  readonly output: string;
  readonly models: readonly string[];
  readonly seeds: readonly number[];
}

export interface StageAnswer {
  readonly peakBytes: number;
  /** Of the whole process, all its threads. */
  readonly processorSeconds: number;
  readonly metrics: Readonly<Record<string, MetricValue>>;
}

const { inputs, output, models, seeds } = JSON.parse(process.argv[2] ?? '') as StageTask;
let metrics: StageAnswer['metrics'] = {};
await report.run({
  params: { models, seeds },
  matrix: {},
  // The drawing of the pipeline takes no time worth measuring.
  facts: {},
  inputs,
  outputs: [output],
  resume: [],
  cpus: 1,
  signal: new AbortController().signal,
  progress: () => undefined,
  metrics: (values) => {
    metrics = { ...metrics, ...values };
  },
  note: () => undefined,
  warn: () => undefined,
});
const { user, system } = process.cpuUsage();
console.log(
  JSON.stringify({
    peakBytes: measurePeak(),
    processorSeconds: (user + system) / 1e6,
    metrics,
  } satisfies StageAnswer),
);

/** `maxRSS` also counts what the parent process had before this one's program was loaded into it; Linux knows better. */
function measurePeak(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (found !== null) return Number(found[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
