import { parseFields } from '../formats/fields.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { parseNetwork } from './network-json.ts';
import { readTrainedOn, type TrainedOn } from './trained-on.ts';

/** What an exported safetensors file says of itself, so that it can be evaluated wherever it lies. */
export interface ExportMetadata {
  readonly network: NetworkConfig;
  readonly trainedOn: TrainedOn;
  /** What it was made of, for people: `baseline, seed 2020, best epoch 7`. */
  readonly source: string;
}

const VERSION = 1;
const KEY = 'repro';

/** As a safetensors file's `__metadata__`, where there is only text; PyTorch's own reader wants `format: pt`. */
export function encodeMetadata(metadata: ExportMetadata | null): Record<string, string> {
  if (metadata === null) return { format: 'pt' };
  const simulated: Record<string, string> =
    metadata.trainedOn.simulated === true ? { data: 'simulated' } : {};
  return { format: 'pt', ...simulated, [KEY]: JSON.stringify({ version: VERSION, ...metadata }) };
}

/** @throws {ReproError} `network-invalid` if it has ours, and that is damaged; null if it has none */
export function decodeMetadata(
  metadata: Readonly<Record<string, string>>,
  file: string,
): ExportMetadata | null {
  const text = metadata[KEY];
  if (text === undefined) return null;
  const fields = parseFields(text, {
    file: `${file}: metadata`,
    code: 'network-invalid',
    fix: 'Export the file again: `repro export`.',
  });
  const version = fields.count('version');
  if (version !== VERSION) fields.fail('version', `is ${version}, and only ${VERSION} is read here`);
  return {
    network: parseNetwork(fields.object('network')),
    trainedOn: readTrainedOn(fields.object('trainedOn')),
    source: fields.text('source'),
  };
}
