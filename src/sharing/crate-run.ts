import { compareCodeUnits } from '../files/canonical-json.ts';
import type { RunRecord } from '../runner/store/records.ts';
import { licenceUrl } from './citation.ts';
import { addressOf, type CrateContent, type Entity, endOf, idOf, PIPELINE, ref, refs } from './entity.ts';

const LANGUAGE = 'https://yaml.org/spec/1.2.2/';

/** The run as a whole, and a run of a stage. */
export const RUN = '#run';
export const actionOf = ({ id }: RunRecord): string => `#${id}`;

const stepOf = (stage: string): string => `${PIPELINE}#${stage}`;

function toolOf({ stage, parts: { command } }: RunRecord): string {
  return command.kind === 'module' ? addressOf(command.path) : `#command-${stage}`;
}

/** The pipeline with its stages as steps, and its run as a whole. */
export function describeWorkflow(content: CrateContent): Entity[] {
  const { citation, records, data, files } = content;
  const stages = [...new Map(records.map((record) => [record.stage, record])).values()];
  return [
    {
      '@id': PIPELINE,
      '@type': ['File', 'SoftwareSourceCode', 'ComputationalWorkflow', 'HowTo'],
      name: `Pipeline of ${citation.title}`,
      programmingLanguage: ref(LANGUAGE),
      license: ref(licenceUrl(citation.license)),
      codeRepository: citation['repository-code'],
      version: citation.version,
      hasPart: refs(stages.map(toolOf)),
      step: refs(stages.map(({ stage }) => stepOf(stage))),
    },
    { '@id': LANGUAGE, '@type': 'ComputerLanguage', name: 'YAML', url: LANGUAGE, version: '1.2' },
    ...stages.flatMap((record, position): Entity[] => {
      const { stage, parts } = record;
      const isModule = parts.command.kind === 'module';
      const type = isModule ? ['File', 'SoftwareSourceCode'] : 'SoftwareApplication';
      const tool = {
        '@id': toolOf(record),
        '@type': type,
        name: `Stage ${stage}`,
        version: citation.version,
      };
      const step = { '@id': stepOf(stage), '@type': 'HowToStep', name: stage, position: String(position) };
      return [tool, { ...step, workExample: ref(toolOf(record)) }];
    }),
    {
      '@id': RUN,
      '@type': 'CreateAction',
      name: `Run of ${content.configuration}`,
      description: `${content.command}. Stages that were up to date did not run again: each has its own times.`,
      startTime: records.map(({ startedAt }) => startedAt).sort(compareCodeUnits)[0],
      endTime: records.map(endOf).sort(compareCodeUnits).at(-1),
      instrument: ref(PIPELINE),
      object: refs([
        ...files.flatMap(({ path }) => (path.startsWith('configs/') ? [addressOf(path)] : [])),
        idOf({ path: '', digest: data.digest }, content),
      ]),
      result: refs(records.flatMap(({ outputs }) => outputs.map((output) => idOf(output, content)))),
    },
  ];
}

/** A finished run of a stage: what it read, made and ran in. */
export function describeAction(record: RunRecord, content: CrateContent): Entity[] {
  const { id, stage, parts, commit, dirty, outputs } = record;
  const read = parts.inputs
    .flatMap(({ path, digest, of = { [path]: digest } }) => Object.entries(of))
    .filter(([, digest]) => digest !== 'missing')
    .map(([path, digest]) => ({ digest, entity: idOf({ path, digest }, content) }));
  const environment = Object.entries({
    'Node.js': record.node,
    platform: `${parts.runtime.platform} ${parts.runtime.arch}`,
    ...parts.facts,
    ...(commit === null ? {} : { 'git commit': commit }),
    ...(dirty === null ? {} : { 'uncommitted changes': dirty ? 'yes' : 'no' }),
  }).map(([name, value]): Entity => {
    return { '@id': `#${encodeURIComponent(`${name}=${value}`)}`, '@type': 'PropertyValue', name, value };
  });
  return [
    {
      '@id': actionOf(record),
      '@type': 'CreateAction',
      name: id,
      description: `Parameters: ${JSON.stringify({ ...parts.matrix, ...parts.params })}`,
      startTime: record.startedAt,
      endTime: endOf(record),
      actionStatus: 'http://schema.org/CompletedActionStatus',
      instrument: ref(toolOf(record)),
      object: refs([...read.map(({ entity }) => entity), ...environment.map((one) => one['@id'])]),
      result: refs(outputs.map((output) => idOf(output, content))),
    },
    {
      '@id': `#step-${id}`,
      '@type': 'ControlAction',
      name: `Step ${id}`,
      instrument: ref(stepOf(stage)),
      object: ref(actionOf(record)),
    },
    ...environment,
    // What a stage made, and the recordings, are described after these.
    ...read.flatMap(({ digest, entity }): Entity[] => {
      if (!entity.startsWith('#')) return [];
      const identifier = `sha256:${digest}`;
      return [{ '@id': entity, '@type': 'Dataset', name: 'Data from elsewhere', identifier }];
    }),
  ];
}
