import type { Fields } from '../../formats/fields.ts';
import type { PublishedResult } from '../../thesis/published.ts';
import type { ModelResult, RunResult } from '../data/results.ts';

/**
 * Reads a model's configuration file, `configs/models/<id>.yaml` parsed.
 *
 * @throws {ReproError} naming the file and the field
 */
export function readModel(fields: Fields, id: string, runs: readonly RunResult[]): ModelResult {
  return {
    id,
    // Prevents a line break inside "λ = .1".
    title: fields.text('title').replaceAll(' = ', '\u00a0=\u00a0'),
    description: fields.has('description') ? fields.text('description') : '',
    published: fields.has('published') ? readPublished(fields.object('published')) : null,
    train: fields.raw('train'),
    runs,
  };
}

function readPublished(fields: Fields): PublishedResult {
  const [name, test] = [fields.text('name'), fields.share('test')];
  const source = fields.has('source') ? fields.text('source') : 'thesis';
  if (source === 'fang') return { source, name, test, validation: null };
  if (source !== 'thesis') return fields.fail('source', `is "${source}": expected "thesis" or "fang"`);
  return { source, name, test, validation: fields.share('validation') };
}
