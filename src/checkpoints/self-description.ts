import { type FieldSource, type Fields, parseFields } from '../formats/fields.ts';
import { parseNetwork } from '../formats/network-json.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { escapeControls } from '../text.ts';
import type { Assumption } from './answers.ts';
import type { SavedFile } from './saved-file.ts';
import { readTrainedOn, type TrainedOn } from './trained-on.ts';

/** What a safetensors file written here says about itself, so that it can be evaluated wherever it lies. */
export interface ExportMetadata {
  readonly network: NetworkConfig;
  readonly trainedOn: TrainedOn;
  /** Where it comes from, for people: `baseline, seed 2020, best epoch 7`. */
  readonly source: string;
  /** What an import had to assume. */
  readonly assumed: readonly Assumption[];
}

const METADATA_VERSION = 1;
const KEY = 'repro';

/**
 * A safetensors file's `__metadata__`, which holds only strings. Hugging Face's loaders expect `format: pt` there; the
 * safetensors package itself does not.
 */
export function encodeMetadata(metadata: ExportMetadata | null): Record<string, string> {
  if (metadata === null) return { format: 'pt' };
  const { assumed, ...rest } = metadata;
  const simulated: Record<string, string> = rest.trainedOn.simulated === true ? { data: 'simulated' } : {};
  const described = { version: METADATA_VERSION, ...rest, ...(assumed.length > 0 ? { assumed } : {}) };
  return { format: 'pt', ...simulated, [KEY]: JSON.stringify(described) };
}

/** Whether `decodeMetadata` finds something to decode. */
export function isExported(metadata: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(metadata, KEY);
}

/** @returns null if it has none of ours @throws {ReproError} `network-invalid` if ours is damaged */
export function decodeMetadata(
  metadata: Readonly<Record<string, string>>,
  file: string,
): ExportMetadata | null {
  const text = metadata[KEY];
  if (text === undefined) return null;
  const fields = parseFields(text, {
    file: `${file}: metadata`,
    code: 'network-invalid',
    fix: 'Export or import it again: `repro export`, `repro import`.',
  });
  const version = fields.count('version');
  if (version !== METADATA_VERSION) fields.fail('version', `is ${version}, expected ${METADATA_VERSION}`);
  return {
    network: parseNetwork(fields.object('network')),
    trainedOn: readTrainedOn(fields.object('trainedOn')),
    source: escapeControls(fields.text('source')),
    assumed: fields.has('assumed') ? readAssumptions(fields) : [],
  };
}

/** The assumptions in `assumed`, of metadata or of network.json. */
function readAssumptions(fields: Fields): Assumption[] {
  return fields.objects('assumed').map((one) => ({
    what: escapeControls(one.text('what')),
    matters: one.choice('matters', ['evaluation', 'training']),
  }));
}

/** `network.json`: which network the state beside it belongs to, and where it came from. */
export interface NetworkFile {
  readonly network: NetworkConfig;
  /** T that it was trained with, if known. */
  readonly trainedSteps: number | null;
  readonly source: {
    /** Without its folder. */
    readonly file: string;
    readonly sha256: string;
    readonly format: SavedFile['format'];
    /** Class of the pickled network; null if only its tensors were saved. */
    readonly class: string | null;
  };
  /** What the file says about its training, under the original's names. Not checked here. */
  readonly claims: Readonly<Record<string, number>>;
  /** What the file does not say, and what was assumed. */
  readonly assumed: readonly Assumption[];
}

const NETWORK_FILE_VERSION = 1;

export function formatNetworkFile(file: NetworkFile): string {
  return `${JSON.stringify({ version: NETWORK_FILE_VERSION, ...file }, null, 2)}\n`;
}

/** @throws {ReproError} `network-invalid`, with the field, what was expected and what was found */
export function parseNetworkFile(text: string, file: string): NetworkFile {
  const source: FieldSource = {
    file,
    code: 'network-invalid',
    fix: 'Import the checkpoint again: `repro import`.',
  };
  const fields = parseFields(text, source);
  const version = fields.count('version');
  if (version !== NETWORK_FILE_VERSION)
    fields.fail('version', `is ${version}, expected ${NETWORK_FILE_VERSION}`);
  const from = fields.object('source');
  const claims = fields.object('claims');
  return {
    network: parseNetwork(fields.object('network')),
    trainedSteps: fields.has('trainedSteps') ? fields.count('trainedSteps') : null,
    source: {
      file: escapeControls(from.text('file')),
      sha256: from.text('sha256'),
      format: from.choice('format', ['zip', 'legacy', 'safetensors']),
      class: from.has('class') ? from.text('class') : null,
    },
    claims: Object.fromEntries(claims.keys().map((key) => [key, claims.number(key)])),
    assumed: readAssumptions(fields),
  };
}
