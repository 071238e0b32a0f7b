import * as v from 'valibot';
import { readJson } from '../../files/shape.ts';

/** The run that a report is of, as the runner knows it. */
export interface RunOrigin {
  readonly profile: string;
  /** Each `--set` that changes results of the profile, as given: `train.epochs=3`. */
  readonly set: readonly string[];
  /** sha256 of the code and the packages of the report and the stages that it depends on. */
  readonly code: string;
}

const configurationShape = v.object({ profile: v.string(), set: v.array(v.string()) });

/**
 * @param facts of the stage: `code` and `configuration`
 * @returns null if the pipeline does not give the stage these facts
 */
export function readOrigin({ code, configuration }: Readonly<Record<string, string>>): RunOrigin | null {
  if (code === undefined || configuration === undefined) return null;
  const { profile, set } = readJson(configurationShape, configuration, {
    file: 'the fact `configuration`',
    code: 'report-input',
    fix: 'It comes from the runner: run the stage by `./repro run report`.',
  });
  // Where the authors' logs lie differs from machine to machine.
  return { profile, set: set.map((one) => one.replace(/^reference\.logs=.*/s, 'reference.logs=DIR')), code };
}
