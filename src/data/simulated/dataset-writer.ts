import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatDatasetTexts, planRecordings, type SimulationOptions, simulateFiles } from './dataset.ts';

export interface SimulationHooks {
  /** Called after each recording. */
  readonly progress?: (done: number, total: number, recording: string) => void;
  /** Aborts between two recordings. */
  readonly signal?: AbortSignal;
}

export interface SimulationSummary {
  readonly recordings: number;
  readonly clips: number;
  readonly events: number;
  /** Size of the recordings, without labels and lists. */
  readonly sizeBytes: number;
}

/**
 * Simulates a data set and writes it to `root/DvsGesture` in the layout of DVS128 Gesture, with a SIMULATED.txt that explains
 * what it is. The same options give the same bytes on any machine, whatever else is running.
 *
 * @throws {ReproError} `simulate-options`; errors of the file system and of an aborted signal pass through
 */
export async function writeSimulatedDataset(
  root: string,
  options: SimulationOptions,
  { progress, signal }: SimulationHooks = {},
): Promise<SimulationSummary> {
  const recordings = planRecordings(options);
  const folder = path.join(root, 'DvsGesture');
  const write = (name: string, content: string | Uint8Array) => writeFile(path.join(folder, name), content);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(formatDatasetTexts(options))) await write(name, text);

  let clips = 0;
  let events = 0;
  let sizeBytes = 0;
  for (const [index, recording] of recordings.entries()) {
    signal?.throwIfAborted();
    const { name } = recording;
    const made = simulateFiles(options, recording);
    await write(`${name}.aedat`, made.aedat);
    await write(`${name}_labels.csv`, made.labels);
    clips += made.clips;
    events += made.events;
    sizeBytes += made.aedat.length;
    progress?.(index + 1, recordings.length, name);
  }
  return { recordings: recordings.length, clips, events, sizeBytes };
}
