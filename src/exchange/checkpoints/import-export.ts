import path from 'node:path';
import { writeOutput } from '../../base/files/chosen-file.ts';
import { escapeControls } from '../../base/text.ts';
import { encodeNpz } from '../../formats/npy-file.ts';
import { writeSafetensors } from '../../formats/safetensors.ts';
import type { State } from '../../formats/tensor.ts';
import type { NetworkConfig } from '../../network/networks.ts';
import { tauOfLogit } from '../../network/neurons.ts';
import type { LoadedCheckpoint } from './evaluate-checkpoint.ts';
import { type ImportedCheckpoint, importCheckpoint } from './import-checkpoint.ts';
import type { ImportAnswers } from './infer-network.ts';
import { encodeNir } from './nir.ts';
import { SAFETENSORS_NAME } from './saved-file.ts';
import { encodeMetadata, trainedElsewhere } from './self-description.ts';

/**
 * Imports a `.pt` or `.safetensors` file: the state, with the description of its network in its metadata, so that it can be moved.
 *
 * @param out by default beside the file, named after it
 * @throws {ReproError} of `importCheckpoint`; `output-exists` if the file exists and `force` is not set
 */
export async function convertFile(
  file: string,
  {
    answers,
    out = defaultName(file),
    force,
  }: { readonly answers: ImportAnswers; readonly out?: string | undefined; readonly force: boolean },
): Promise<{ readonly out: string; readonly checkpoint: ImportedCheckpoint }> {
  const checkpoint = await importCheckpoint(file, answers);
  const { network, trainedSteps, assumptions: assumed, state } = checkpoint;
  const source = `imported from ${path.basename(file)}`;
  const metadata = encodeMetadata({ network, trainedOn: trainedElsewhere(trainedSteps), source, assumed });
  await writeOutput(out, writeSafetensors(state, metadata), force);
  return { out, checkpoint };
}

/** `logs/check_point_max.pt` -> `logs/check_point_max.safetensors` */
function defaultName(file: string): string {
  const name = path.basename(file).replace(/\.(?:pth?|safetensors)$/i, '');
  return path.join(
    path.dirname(file),
    `${name}${SAFETENSORS_NAME.test(file) ? '.imported' : ''}.safetensors`,
  );
}

export type ExportFormat = 'safetensors' | 'npz' | 'nir';

/**
 * Writes a state for other programs, its tensors under PyTorch's names, or its network as a NIR graph. The same state gives the same bytes.
 *
 * @param out a path; by default in the current folder, named after the checkpoint
 * @returns the file's path and size, and what it holds
 * @throws {ReproError} `output-exists` if the file exists and `force` is not set
 */
export async function exportCheckpoint(
  checkpoint: LoadedCheckpoint,
  {
    to,
    out,
    force,
  }: { readonly to: ExportFormat; readonly out?: string | undefined; readonly force: boolean },
) {
  const file = out ?? `${checkpoint.name}.${to}`;
  const { state } = checkpoint;
  const { bytes, ...content } =
    to === 'nir'
      ? await encodeNir(checkpoint)
      : {
          bytes: to === 'npz' ? await encodeNpz(state) : encodeSafetensors(checkpoint),
          tensors: state.size,
        };
  await writeOutput(file, bytes, force);
  return { file, sizeBytes: bytes.length, content };
}

/** A state as safetensors, with a description of its network, which other programs ignore. */
function encodeSafetensors(checkpoint: LoadedCheckpoint): Uint8Array {
  const { state, network, trainedOn, source, assumptions: assumed } = checkpoint;
  return writeSafetensors(
    state,
    encodeMetadata(network === null ? null : { network, trainedOn, source, assumed }),
  );
}

/** A line of a description. */
export type Line = readonly [topic: string, text: string];

/** What an import found, safe to print whatever the file's names are. */
export function describeImport(imported: ImportedCheckpoint): Line[] {
  const { network, state, className, format, claims, assumptions, warnings, trainedSteps } = imported;
  const what = className ?? 'a state_dict (tensors without modules)';
  const steps = trainedSteps === null ? [] : [`T = ${trainedSteps}`];
  const claimed = [...steps, ...Object.entries(claims).map(([name, value]) => `${name} ${value}`)];
  const lines: Line[] = [
    ['file', `${what}, ${format === 'zip' ? 'zip format' : format}`],
    ['network', describeNetwork(network)],
    ['neurons', describeNeurons(network, state)],
    ...(claimed.length > 0 ? [['it says', claimed.join(', ')] as const] : []),
    ...assumptions.map(({ what: taken }): Line => ['assumed', taken]),
    ...warnings.map((text): Line => ['warning', text]),
  ];
  return lines.map(([topic, text]): Line => [topic, escapeControls(text)]);
}

function describeNetwork(network: NetworkConfig): string {
  const { architecture, input, classes, layers, channels, pooling, hidden, steps } = network;
  const size = input.join(' x ');
  const shown =
    architecture === undefined || architecture === 'event-frames'
      ? `event frames ${size}`
      : `${architecture}, images ${size}`;
  const blocks = layers === undefined ? '' : `${layers} layers of `;
  const times = steps === undefined ? '' : `, shown for ${steps} steps`;
  return `${shown}${times}; ${blocks}${channels} channels, ${pooling} pooling, ${hidden ?? 'default'} hidden, ${classes} classes`;
}

function describeNeurons({ neuron, tau, reset, threshold = 1 }: NetworkConfig, state: State): string {
  const logits = [...state].flatMap(([name, { data }]) => (name.endsWith('.w') ? [...data].map(Number) : []));
  const taus = logits.map(tauOfLogit);
  const range = [reduce(taus, Math.min), reduce(taus, Math.max)].map((value) => value.toPrecision(3));
  const constant =
    neuron === 'lif'
      ? `LIF, τ = ${tau.mean}`
      : `PLIF, one τ per ${tau.per}, now ${[...new Set(range)].join(' to ')} steps`;
  const back = reset.kind === 'hard' ? `hard reset to ${reset.potential ?? 0}` : 'soft reset';
  return `${constant}; threshold ${threshold}, ${back}`;
}

/** Spreading into `Math.min` would put millions of arguments on the stack. */
function reduce(values: readonly number[], choose: (a: number, b: number) => number): number {
  return values.reduce((a, b) => choose(a, b), values[0] ?? Number.NaN);
}
