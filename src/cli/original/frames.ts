import os from 'node:os';
import process from 'node:process';
import type { Plan } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { runPlan } from '../../runner/run/run.ts';
import { factsOf } from '../doctor/facts.ts';
import { exitCode, exitCodeOfSignal } from '../exit-code.ts';
import { type PipelineOptions, pipelineArguments } from '../load.ts';
import type { SignalListener } from '../signals.ts';
import { colorsFor } from '../view/colors.ts';
import { openView } from '../view/open-view.ts';
import { applyEvent, createRunState } from '../view/run-state.ts';
import { summariseRun } from '../view/summary.ts';

/** The stage that makes the frames for training and evaluation. */
export const framesStage = 'frames';

/** Does what `repro run frames` does, shown on stderr. Sets the exit code if that fails. @returns whether it succeeded */
export async function bringFramesUpToDate(
  plan: Plan,
  pipeline: PipelineOptions,
  signals: SignalListener,
): Promise<boolean> {
  const { selected } = selectInstances(plan, { targets: [framesStage] });
  const state = createRunState();
  const view = await openView();
  try {
    await runPlan({
      plan,
      selected,
      jobs: os.availableParallelism(),
      facts: factsOf(plan.projectRoot),
      signal: signals.stop,
      killSignal: signals.kill,
      onEvent: (event) => {
        const nowMs = Date.now();
        applyEvent(state, event, nowMs);
        view.show(event, state, nowMs);
      },
    });
  } finally {
    view.close();
  }
  if (state.outcome === 'ok') return true;
  const summary = summariseRun(state, {
    colors: colorsFor(process.stderr),
    runArguments: pipelineArguments(pipeline),
    folder: process.cwd(),
    results: [],
  });
  process.stderr.write(`${summary.join('\n')}\n`);
  process.exitCode =
    state.outcome === 'interrupted' ? exitCodeOfSignal(signals.received()) : exitCode.stageFailed;
  return false;
}
