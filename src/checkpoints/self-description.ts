import { parseFields } from '../formats/fields.ts';
import { parseNetwork } from '../formats/network-json.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { escapeControls } from '../text.ts';
import type { Assumption } from './infer-network.ts';
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

/** 2: with all of the frames' format. */
const METADATA_VERSION = 2;
const KEY = 'repro';

/**
 * A safetensors file's `__metadata__`, which holds only strings. Hugging Face's loaders expect `format: pt` there; the
 * safetensors package itself does not.
 */
export function encodeMetadata(metadata: ExportMetadata | null): Record<string, string> {
  if (metadata === null) return { format: 'pt' };
  const simulated: Record<string, string> = metadata.trainedOn.simulated ? { data: 'simulated' } : {};
  return { format: 'pt', ...simulated, [KEY]: JSON.stringify({ version: METADATA_VERSION, ...metadata }) };
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
    assumed: fields.objects('assumed').map((one) => ({
      what: escapeControls(one.text('what')),
      matters: one.choice('matters', ['evaluation', 'training']),
    })),
  };
}
