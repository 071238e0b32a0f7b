import { type FieldSource, type Fields, parseFields } from '../formats/fields.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import type { Assumption } from './answers.ts';
import { parseNetwork } from './network-json.ts';

/** `network.json`: what the state beside it is of, and where it came from. */
export interface NetworkFile {
  readonly network: NetworkConfig;
  /** T that it was trained with, if that is known. */
  readonly trainedSteps: number | null;
  readonly source: {
    /** Name without its folder. */
    readonly file: string;
    readonly sha256: string;
    readonly format: 'zip' | 'legacy';
    /** Class of the pickled network; null where only its tensors were saved. */
    readonly class: string | null;
  };
  /** What the file says of its training, under the original's names: nothing here has checked it. */
  readonly claims: Readonly<Record<string, number>>;
  /** What the file does not say, and what was taken. */
  readonly assumed: readonly Assumption[];
}

const VERSION = 1;

export function formatNetworkFile(file: NetworkFile): string {
  return `${JSON.stringify({ version: VERSION, ...file }, null, 2)}\n`;
}

/** @throws {ReproError} `network-invalid`, with the field, what it should be and what it is */
export function parseNetworkFile(text: string, file: string): NetworkFile {
  const source: FieldSource = {
    file,
    code: 'network-invalid',
    fix: 'Import the checkpoint again: `repro import`.',
  };
  const fields = parseFields(text, source);
  const version = fields.count('version');
  if (version !== VERSION) fields.fail('version', `is ${version}, and only ${VERSION} is read here`);
  const from = fields.object('source');
  const claims = fields.object('claims');
  return {
    network: parseNetwork(fields.object('network')),
    trainedSteps: optionalCount(fields, 'trainedSteps'),
    source: {
      file: from.text('file'),
      sha256: from.text('sha256'),
      format: from.choice('format', ['zip', 'legacy']),
      class: from.has('class') ? from.text('class') : null,
    },
    claims: Object.fromEntries(claims.keys().map((key) => [key, claims.number(key)])),
    assumed: fields.objects('assumed').map((one) => ({
      what: one.text('what'),
      matters: one.choice('matters', ['evaluation', 'training']),
    })),
  };
}

function optionalCount(fields: Fields, name: string): number | null {
  return fields.has(name) ? fields.count(name) : null;
}
