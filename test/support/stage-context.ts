import type { MetricValue, StageContext, StageInputs } from '../../src/runner/stage/define-stage.ts';

/** A stage context that records what the stage reports. */
export interface RecordingContext<Params> extends StageContext<Params> {
  readonly said: {
    readonly metrics: Record<string, MetricValue>;
    readonly notes: string[];
    readonly warnings: string[];
    readonly progress: string[];
  };
}

export function makeContext<Params>(
  params: Params,
  inputs: StageInputs,
  outputs: readonly string[],
): RecordingContext<Params> {
  const said: RecordingContext<Params>['said'] = { metrics: {}, notes: [], warnings: [], progress: [] };
  return {
    params,
    inputs,
    outputs,
    matrix: {},
    facts: {},
    resume: [],
    cpus: 1,
    signal: new AbortController().signal,
    said,
    progress: ({ done, total, unit }) => said.progress.push(`${done}/${total} ${unit}`),
    metrics: (values) => Object.assign(said.metrics, values),
    note: (text) => said.notes.push(text),
    warn: (text) => said.warnings.push(text),
  };
}
