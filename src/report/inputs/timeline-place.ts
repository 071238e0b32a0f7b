import path from 'node:path';
import type { Fields, JsonObject } from '../../formats/fields.ts';
import { fillIn } from './pipeline.ts';

/**
 * Where the runner draws the timeline, seen from the report, as in `../timeline`: both places are in pipeline.yaml and nowhere else.
 *
 * @param module the stage module that writes the report, as in pipeline.yaml; its first output is the report
 * @param settings what is known of the profile
 * @returns relative, with `/`; null if the pipeline names no folder for it, or the report's own place is not known
 */
export function readTimelinePlace(fields: Fields, module: string, settings: JsonObject): string | null {
  if (!fields.has('timeline')) return null;
  const stages = fields.object('stages');
  const name = stages.keys().find((one) => {
    const stage = stages.object(one);
    return stage.has('run') && path.posix.normalize(stage.text('run')) === module;
  });
  const [output] = name === undefined ? [] : stages.object(name).texts('outputs');
  if (output === undefined) return null;
  const report = fillIn(output, settings);
  return report.includes('${') ? null : path.posix.relative(report, fields.text('timeline'));
}
