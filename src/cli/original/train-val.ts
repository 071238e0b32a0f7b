import process from 'node:process';
import { describeEngine, type EngineChoice } from '../../engines/engine.ts';
import { describeError, ReproError } from '../../errors.ts';
import { checkLayersFit, type Preparation, prepareTraining } from '../../original/preparation.ts';
import {
  describeFinished,
  describeOutcome,
  findFinishedRun,
  summariseRun,
} from '../../original/run-folder.ts';
import {
  type DataSettings,
  describeRecord,
  readRecord,
  refuseForeign,
  refuseOther,
} from '../../original/run-record.ts';
import { chooseDevice, trainOriginal } from '../../original/train.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { readRecord as readStageRecord } from '../../runner/store/records.ts';
import type { CompatPresetName } from '../../thesis/compat.ts';
import { refuseRunnerFolder } from '../checkpoints/runner-folder.ts';
import { exitCode, exitCodeOfSignal } from '../exit-code.ts';
import { printWarning } from '../lines.ts';
import { type PipelineOptions, pipelineArguments, printJson } from '../load.ts';
import { listenForSignals, type SignalListener } from '../signals.ts';
import { rerunCommand } from '../view/summary.ts';

/** `repro train-val`: trains like the original, with its arguments and folders. Progress on stderr; with --json, run.json on stdout. */
export async function trainVal(
  words: readonly string[],
  options: TrainValOptions & { readonly json?: boolean },
): Promise<void> {
  const signals = listenForSignals();
  const exitNow = (): void => process.exit(exitCodeOfSignal(signals.received()));
  try {
    const outcome = await train(words, options, {
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
      case 'was-trained':
        printAside(outcome.lines);
        if (options.json === true) process.stdout.write(outcome.document);
        return;
      case 'trained':
        printAside(outcome.lines);
        if (options.json === true) printJson(outcome.run);
        return;
      case 'failed': {
        const { error, pipeline } = outcome;
        const framesCommand = rerunCommand(stageNames.frames, pipelineArguments(pipeline));
        printAside([describeError(sayInArguments(error, framesCommand))]);
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
