import { readClipAnswers } from '../../comparison/clip-answers.ts';
import type { RunResults } from '../../comparison/compare.ts';
import { readSettings } from '../../comparison/settings.ts';
import type { RecordedFiles } from '../../runner/store/recorded-files.ts';
import type { RecordedNetwork, SomeRecord } from './recorded-networks.ts';

/** Hundreds of times those of the thesis. */
const BYTES_AT_MOST = 64 * 1024 * 1024;

/** Reads what a network's stages left; what is no longer kept is null. */
export async function readResults(
  { evaluation, lineage, data }: RecordedNetwork,
  files: RecordedFiles,
): Promise<RunResults> {
  const training = lineage.get('train');
  const [run, predictions] = [
    await readText(training, 'run.json', files),
    await readText(evaluation, 'predictions.csv', files),
  ];
  const { model, seed } = evaluation.parts.matrix;
  return {
    model: String(model ?? evaluation.id),
    seed: String(seed ?? ''),
    settings: run === null ? null : readSettings(run.file, run.text),
    answers: predictions === null ? null : readClipAnswers(predictions.file, predictions.text),
    metrics: { ...numbersOf(evaluation), ...(training === undefined ? {} : numbersOf(training)) },
    run: evaluation.fingerprint,
    data,
  };
}

async function readText(
  record: SomeRecord | undefined,
  name: string,
  files: RecordedFiles,
): Promise<{ readonly file: string; readonly text: string } | null> {
  const output = record?.outputs[0];
  const bytes = output === undefined ? null : await files.read(output, name, BYTES_AT_MOST);
  if (output === undefined || bytes === null) return null;
  return { file: `${output.path}/${name}`, text: bytes.toString('utf8') };
}

/** Metrics of a stage, such as `evaluate.testAccuracy`; texts among them are settings. */
function numbersOf({ stage, metrics }: SomeRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]) =>
      typeof value === 'number' ? [[`${stage}.${name}`, value]] : [],
    ),
  );
}
