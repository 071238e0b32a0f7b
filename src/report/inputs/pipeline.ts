import { parseFields } from '../../formats/fields.ts';
import type { Results } from '../data/results.ts';

/**
 * The stages that the report depends on, and where their timeline is.
 *
 * @param plan the stage's fact of that name; undefined if the pipeline does not give it
 */
export function readPipeline(plan: string | undefined): Pick<Results, 'pipeline' | 'timeline'> {
  if (plan === undefined) return { pipeline: [], timeline: null };
  const fields = parseFields(plan, {
    file: 'the fact `plan`',
    code: 'report-input',
    fix: 'It comes from the runner: run the stage by `./repro run report`.',
  });
  return {
    pipeline: fields.objects('stages').map((stage) => ({
      name: stage.text('name'),
      instances: stage.value('instances') === null ? null : stage.count('instances'),
      outputs: stage.texts('outputs'),
      reads: stage.texts('reads'),
      sources: stage.texts('sources'),
    })),
    timeline: fields.value('timeline') === null ? null : fields.text('timeline'),
  };
}
