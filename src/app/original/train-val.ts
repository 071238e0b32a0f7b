import process from 'node:process';
import { describeError, unreachable } from '../../base/errors.ts';
import { exitCode, exitCodeOfSignal, listenForSignals } from '../process/ending.ts';
import { pipelineArguments } from '../project/load-plan.ts';
import { stageNames } from '../project/stages.ts';
import { bringFramesUpToDate } from '../run/run.ts';
import { rerunCommand } from '../view/event-text.ts';
import { showWork } from '../view/open-view.ts';
import { printJson, printWarning } from '../view/print.ts';
import { adviseInArguments, type TrainValOptions, trainLikeOriginal } from './training.ts';

/** `repro train-val`: trains like the original, with its arguments and folders. Progress on stderr; with --json, run.json on stdout. */
export async function trainVal(
  words: readonly string[],
  options: TrainValOptions & { readonly json?: boolean },
): Promise<void> {
  const signals = listenForSignals();
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  try {
    const outcome = await trainLikeOriginal(words, options, {
      warn: printWarning,
      stop: signals.stop,
      makeFrames: (plan, pipeline) => bringFramesUpToDate(plan, pipeline, signals),
      showTraining: (title) => {
        // Files on disk are complete at any time.
        signals.kill.addEventListener('abort', exitNow);
        return showWork('train-val', title);
      },
    });
    switch (outcome.kind) {
      case 'no-frames':
        return;
      case 'trained':
        printAside(outcome.lines);
        if (options.json === true) printJson(outcome.run);
        return;
      case 'failed': {
        const { error, pipeline } = outcome;
        const framesCommand = rerunCommand(stageNames.frames, pipelineArguments(pipeline));
        printAside([describeError(adviseInArguments(error, framesCommand))]);
        process.exitCode =
          error.code === 'training-interrupted' ? exitCodeOfSignal(signals.received()) : exitCode.stageFailed;
        return;
      }
      default:
        unreachable(outcome);
    }
  } finally {
    signals.kill.removeEventListener('abort', exitNow);
    signals.dispose();
  }
}

function printAside(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`);
}
