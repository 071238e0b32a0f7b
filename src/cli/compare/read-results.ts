import { nameAnswers, type RunResults, settingsOf } from '../../comparison/run-results.ts';
import { readTestAnswers } from '../../results/predictions.ts';
import { fixOf, type ResultFile } from '../../results/result-file.ts';
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
    settings: run === null ? null : settingsOf(run),
    answers: predictions === null ? null : nameAnswers(readTestAnswers(predictions)),
    metrics: { ...numbersOf(evaluation), ...(training === undefined ? {} : numbersOf(training)) },
    run: evaluation.fingerprint,
    data,
  };
}

async function readText(
  record: SomeRecord | undefined,
  name: string,
  files: RecordedFiles,
): Promise<ResultFile | null> {
  const output = record?.outputs[0];
  const bytes = output === undefined ? null : await files.read(output, name, BYTES_AT_MOST);
  if (record === undefined || output === undefined || bytes === null) return null;
  return { file: `${output.path}/${name}`, text: bytes.toString('utf8'), fix: fixOf(record.id) };
}

/** Metrics of a stage, such as `evaluate.testAccuracy`; texts among them are settings. */
function numbersOf({ stage, metrics }: SomeRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]) =>
      typeof value === 'number' ? [[`${stage}.${name}`, value]] : [],
    ),
  );
}
