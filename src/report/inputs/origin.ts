import { type Fields, parseFields } from '../../formats/fields.ts';

/** The run that a report is of, as the runner knows it. */
export interface RunOrigin {
  readonly profile: string;
  /** Each `--set` that changes results of the profile, as given: `train.epochs=3`. */
  readonly set: readonly string[];
  /** sha256 of the code and the packages of the report and the stages that it depends on. */
  readonly code: string;
}

/**
 * @param facts of the stage: `code` and `configuration`
 * @returns null if the pipeline does not give the stage these facts
 */
export function readOrigin({ code, configuration }: Readonly<Record<string, string>>): RunOrigin | null {
  if (code === undefined || configuration === undefined) return null;
  const fields = parseFact('configuration', configuration);
  // Where the authors' logs lie differs from machine to machine.
  const set = fields.texts('set').map((one) => one.replace(/^reference\.logs=.*/s, 'reference.logs=DIR'));
  return { profile: fields.text('profile'), set, code };
}

function parseFact(name: string, text: string): Fields {
  return parseFields(text, {
    file: `the fact \`${name}\``,
    code: 'report-input',
    fix: 'It comes from the runner: run the stage by `./repro run report`.',
  });
}
