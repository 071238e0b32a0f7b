import os from 'node:os';
import process from 'node:process';
import { showPath } from '../../datasets/contract/how-to-get.ts';
import { findDataset } from '../../datasets/registry.ts';
import { describeError, ReproError } from '../../errors.ts';
import type { Manifest } from '../../results/manifest.ts';
import { exitCode, exitCodeOfSignal } from '../exit-code.ts';
import { printLines, printWarning } from '../lines.ts';
import { printJson } from '../load.ts';
import { listenForSignals } from '../signals.ts';
import { showTraining } from '../view/training-view.ts';
import { type DataOptions, rootOf, sayRoot, withData } from './root.ts';

/** With so few, the error itself shows them all. */
const SHOWN_PROBLEMS = 3;

interface VerifyOptions extends DataOptions {
  readonly simulated?: boolean;
}

/** `repro data verify NAME`: exit code 1 if the data are missing or not right. */
export async function verifyDataset(name: string, options: VerifyOptions): Promise<void> {
  const dataset = await withData(async () => findDataset(name));
  const root = rootOf(dataset, options);
  const signals = listenForSignals();
  const view = await showTraining('data verify', `${dataset.title} in ${showPath(root)}`);
  const problems: string[] = [];
  let manifest: Manifest;
  try {
    manifest = await dataset.verify(root, {
      simulated: options.simulated === true,
      signal: signals.stop,
      // The compiled file with this code, which a thread can run from.
      threads: { count: os.availableParallelism(), module: new URL(import.meta.url) },
      progress: (done, total) => view.progress({ done, total, unit: dataset.recordingsNoun }),
      log: (line) => problems.push(line),
    });
    view.finish();
    view.close();
  } catch (error) {
    view.close();
    if (signals.received() !== null) {
      process.stderr.write('Stopped; nothing was changed.\n');
      process.exitCode = exitCodeOfSignal(signals.received());
      return;
    }
    if (!(error instanceof ReproError)) throw error;
    process.stderr.write(`${describeError(sayRoot(error))}\n`);
    // The error shows a few of each kind.
    if (options.json === true) {
      const { code, message } = error;
      printJson({ version: 1, command: 'data verify', dataset: name, error: { code, message }, problems });
    } else if (problems.length > SHOWN_PROBLEMS) {
      process.stderr.write(
        `All ${problems.length} problems:\n${problems.map((line) => `  ${line}\n`).join('')}`,
      );
    }
    process.exitCode = exitCode.stageFailed;
    return;
  } finally {
    signals.dispose();
  }
  for (const warning of manifest.warnings) printWarning(warning);
  if (options.json === true) printJson(manifest);
  else printLines(linesOf(manifest));
}

function linesOf(manifest: Manifest): [string, string][] {
  const { splits, perUser, perLight, perClass, files, archive } = manifest;
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([key, clips]) => `${key} ${clips.toLocaleString('en-US')}`)
      .join(', ');
  const { train, test } = splits;
  const lines: [string, string][] = [
    [
      'clips',
      `${train.clips.toLocaleString('en-US')} for training, ${test.clips.toLocaleString('en-US')} for testing`,
    ],
    ['per class', counts(perClass)],
  ];
  if (Object.keys(perLight).length > 0) lines.push(['per light', counts(perLight)]);
  if (Object.keys(perUser).length > 0) lines.push(['per user', counts(perUser)]);
  lines.push(['files', `${files.length.toLocaleString('en-US')}${archive ? ', read in the archive' : ''}`]);
  return lines;
}
