import type { Fields } from '../../formats/fields.ts';
import type { ModelResult, RunResult } from '../results.ts';

/**
 * Reads a model's configuration file, `configs/models/<id>.yaml` parsed.
 *
 * @throws {ReproError} naming the file and the field
 */
export function readModel(fields: Fields, id: string, runs: readonly RunResult[]): ModelResult {
  const published = fields.has('published') ? fields.object('published') : null;
  return {
    id,
    // Prevents a line break inside "λ = .1".
    title: fields.text('title').replaceAll(' = ', '\u00a0=\u00a0'),
    description: fields.has('description') ? fields.text('description') : '',
    published:
      published === null
        ? null
        : {
            name: published.text('name'),
            test: published.share('test'),
            validation: published.share('validation'),
          },
    train: fields.raw('train'),
    runs,
  };
}
