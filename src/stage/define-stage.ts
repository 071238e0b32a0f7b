import type { StageContext } from './context.ts';

/** A stage of the pipeline: the default export of `stages/<name>.ts`. */
export interface Stage<Params = unknown> {
  /** One sentence for `repro graph` and the first line of the log. */
  readonly summary: string;
  /** Reads `context.inputs`, writes every one of `context.outputs`, and throws on any failure. */
  run(context: StageContext<Params>): Promise<void>;
}

/** Gives a stage module its type: `export default defineStage<Params>({ summary, run })`. */
export function defineStage<Params>(stage: Stage<Params>): Stage<Params> {
  return stage;
}
