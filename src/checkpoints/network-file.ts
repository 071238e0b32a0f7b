import { type FieldSource, parseFields } from '../formats/fields.ts';
import { parseNetwork } from '../formats/network-json.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { escapeControls } from '../text.ts';
import type { Assumption } from './answers.ts';
import { readAssumptions } from './export-metadata.ts';
import type { SavedFile } from './saved-file.ts';

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

const VERSION = 1;

export function formatNetworkFile(file: NetworkFile): string {
  return `${JSON.stringify({ version: VERSION, ...file }, null, 2)}\n`;
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
  if (version !== VERSION) fields.fail('version', `is ${version}, expected ${VERSION}`);
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
