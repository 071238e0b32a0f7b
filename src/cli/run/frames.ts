import os from 'node:os';
import process from 'node:process';
import { factsOf } from '../../apps/facts.ts';
import { type PipelineOptions, pipelineArguments } from '../../apps/load-plan.ts';
import { stageNames } from '../../apps/stages.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { selectInstances } from '../../runner/plan/selection.ts';
import { runPlan } from '../../runner/run/run.ts';
import type { SignalListener } from '../process/ending.ts';
import { exitCode, exitCodeOfSignal } from '../process/ending.ts';
import { showEvents } from '../view/open-view.ts';
import { colorsFor } from '../view/print.ts';
import { summariseRun } from '../view/summary.ts';

/** Does what `repro run frames` does, shown on stderr. Sets the exit code if that fails. @returns whether it succeeded */
export async function bringFramesUpToDate(
  plan: Plan,
  pipeline: PipelineOptions,
  signals: SignalListener,
): Promise<boolean> {
  const { selected } = selectInstances(plan, { targets: [stageNames.frames] });
  const { state, take, close } = await showEvents();
  try {
    await runPlan({
      plan,
      selected,
      jobs: os.availableParallelism(),
      facts: factsOf(plan.projectRoot),
      signal: signals.stop,
      killSignal: signals.kill,
      onEvent: take,
    });
  } finally {
    close();
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
