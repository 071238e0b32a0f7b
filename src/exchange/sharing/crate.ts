import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import type { RunRecord } from '../../runner/store/records.ts';
import type { ReportVerdicts } from '../../verdicts/claims-file.ts';
import { VERDICT_TITLES } from '../../verdicts/verdicts.ts';
import { isKnownLicence, licenceUrl, nameAuthor } from './citation.ts';
import {
  addressOf,
  type CrateContent,
  type CrateFile,
  idOf,
  isMade,
  PIPELINE,
  ref,
  summariseCrate,
} from './crate-content.ts';

/** Something of RO-Crate's graph: an id, a type, properties; other entities are named by their ids. */
type Entity = {
  readonly '@id': string;
  readonly '@type': string | readonly string[];
  readonly [property: string]: unknown;
};

const refs = (ids: Iterable<string>) => [...new Set(ids)].map(ref);

/** When a run of a stage ended, ISO 8601 in UTC. */
function endOf({ startedAt, seconds }: RunRecord): string {
  return new Date(Date.parse(startedAt) + seconds * 1000).toISOString();
}

/** The profiles that a crate conforms to. */
const PROFILES = {
  'https://w3id.org/ro/wfrun/process/0.6': 'Process Run Crate',
  'https://w3id.org/ro/wfrun/workflow/0.6': 'Workflow Run Crate',
  'https://w3id.org/ro/wfrun/provenance/0.6': 'Provenance Run Crate',
  'https://w3id.org/workflowhub/workflow-ro-crate/1.1': 'Workflow RO-Crate',
};

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  cff: 'application/yaml',
  csv: 'text/csv',
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  md: 'text/markdown',
  png: 'image/png',
  svg: 'image/svg+xml',
  yaml: 'application/yaml',
};

const LANGUAGE = 'https://yaml.org/spec/1.2.2/';

/** The run as a whole, and a run of a stage. */
const RUN = '#run';
const actionOf = ({ id }: RunRecord): string => `#${id}`;

const stepOf = (stage: string): string => `${PIPELINE}#${stage}`;

function toolOf({ stage, parts: { command } }: RunRecord): string {
  return command.kind === 'module' ? addressOf(command.path) : `#command-${stage}`;
}

/**
 * The metadata of a finished run, ro-crate-metadata.json: a Provenance Run Crate, in which each stage is a step of the workflow, and each
 * of its runs an action with inputs and results. What is not packed is named by its digest.
 *
 * @see https://w3id.org/ro/crate/1.3 and the profiles
 */
export function describeCrate(content: CrateContent): object {
  const entities = new Map<string, Entity>();
  const everything = [
    ...describeRoot(content),
    ...content.files.map(describeFile),
    ...describeWorkflow(content),
    ...content.records.flatMap((record) => describeAction(record, content)),
    ...content.records.flatMap((record) => describeOutputs(record, content)),
    ...describeData(content),
    ...describeVerdicts(content.verdicts),
  ];
  for (const one of everything) entities.set(one['@id'], { ...entities.get(one['@id']), ...one });
  return {
    '@context': ['https://w3id.org/ro/crate/1.3/context', 'https://w3id.org/ro/terms/workflow-run/context'],
    '@graph': [...entities.values()],
  };
}

function describeRoot(content: CrateContent): Entity[] {
  const { citation, configuration, records, files, verdicts } = content;
  const authors = citation.authors.map((author): Entity => {
    const name = nameAuthor(author);
    const id = author.orcid ?? `#${encodeURIComponent(name)}`;
    return { '@id': id, '@type': author.name ? 'Organization' : 'Person', name };
  });
  const outputs = records.flatMap((record) => record.outputs);
  const parts = [
    ...files.flatMap(({ path }) => (isMade(path, records) ? [] : [addressOf(path)])),
    ...outputs.map((output) => idOf(output, content)).filter((id) => !id.startsWith('#')),
  ];
  const license = licenceUrl(citation.license);
  return [
    {
      '@id': 'ro-crate-metadata.json',
      '@type': 'CreativeWork',
      conformsTo: ref('https://w3id.org/ro/crate/1.3'),
      about: ref('./'),
    },
    {
      '@id': './',
      '@type': 'Dataset',
      name: `${citation.title}; run of ${configuration}`,
      description: summariseCrate(content),
      // When the run was complete: the repository knows when the crate was published.
      datePublished: records.map(endOf).sort(compareCodeUnits).at(-1),
      license: ref(license),
      author: refs(authors.map((one) => one['@id'])),
      keywords: citation.keywords.join(', '),
      conformsTo: refs(Object.keys(PROFILES)),
      mainEntity: ref(PIPELINE),
      hasPart: refs(parts),
      mentions: refs([
        ...[RUN, ...records.map(actionOf)],
        ...describeVerdicts(verdicts).map((one) => one['@id']),
      ]),
    },
    ...authors,
    describeLicence(license),
    ...Object.entries(PROFILES).map(([id, name]): Entity => {
      return { '@id': id, '@type': ['CreativeWork', 'Profile'], name, version: id.split('/').at(-1) };
    }),
  ];
}

function describeLicence(url: string): Entity {
  const name = url.split('/').at(-1);
  return { '@id': url, '@type': 'CreativeWork', name, description: `The licence that SPDX calls ${name}.` };
}

function describeFile({ path, sizeBytes, sha256, more }: CrateFile): Entity {
  const encodingFormat = MEDIA_TYPES[path.split('.').at(-1) ?? ''];
  const file = { '@id': addressOf(path), '@type': 'File', name: path, contentSize: String(sizeBytes) };
  return { ...file, sha256, encodingFormat, ...more };
}

/** The pipeline with its stages as steps, and its run as a whole. */
function describeWorkflow(content: CrateContent): Entity[] {
  const { citation, records, recordings, files } = content;
  // What users change: profiles, models, claims.
  const settings = files.filter(
    ({ path }) => path.endsWith('.yaml') && path !== PIPELINE && !isMade(path, records),
  );
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
        ...settings.map(({ path }) => addressOf(path)),
        idOf({ path: '', digest: recordings }, content),
      ]),
      result: refs(records.flatMap(({ outputs }) => outputs.map((output) => idOf(output, content)))),
    },
  ];
}

/** A finished run of a stage: what it read, made and ran in. */
function describeAction(record: RunRecord, content: CrateContent): Entity[] {
  const { id, stage, parts, commit, dirty, outputs } = record;
  const read = parts.inputs
    .flatMap(({ path, digest, of = { [path]: digest } }) => Object.entries(of))
    .filter(([, digest]) => digest !== 'missing')
    .map(([path, digest]) => ({ digest, entity: idOf({ path, digest }, content) }));
  const environment = Object.entries({
    'Node.js': record.node,
    platform: `${parts.runtime.platform} ${parts.runtime.arch}`,
    ...parts.facts,
    ...(commit === null ? {} : { 'git commit': commit, 'uncommitted changes': dirty ? 'yes' : 'no' }),
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

function describeOutputs({ id, outputs }: RunRecord, content: CrateContent): Entity[] {
  return outputs.map((output): Entity => {
    const { path, kind, digest, sizeBytes } = output;
    const entity = idOf(output, content);
    const [type, identifier] = [kind === 'file' ? 'File' : 'Dataset', `sha256:${digest}`];
    const common = { '@id': entity, '@type': type, name: path, identifier, contentSize: String(sizeBytes) };
    if (entity.startsWith('#')) {
      const description = `Not in this crate. \`${content.command}\` makes it again, byte for byte.`;
      return { ...common, localPath: path, description };
    }
    const parts = content.files.filter((file) => file.path.startsWith(`${path}/`));
    return {
      ...common,
      // The licence, if it is not that of the crate.
      ...parts[0]?.more,
      description: `Made by ${id}.`,
      hasPart: refs(parts.map((file) => addressOf(file.path))),
    };
  });
}

function describeData({ recordings, dataset, simulated, licence }: CrateContent): Entity[] {
  const { title, homepage: url, citation: creditText, files } = dataset;
  const isAddress = isKnownLicence(licence);
  const common = { '@id': `#sha256-${recordings}`, '@type': 'Dataset', identifier: `sha256:${recordings}` };
  const license = isAddress ? ref(licence) : licence;
  const licences = isAddress ? [describeLicence(licence)] : [];
  if (simulated) return [{ ...common, license, name: `Recordings, simulated (${title})` }, ...licences];
  const downloads = files.map(({ name, md5, urls: contentUrl }): Entity => {
    return { '@id': `#file-${name}`, '@type': 'DataDownload', name, identifier: `md5:${md5}`, contentUrl };
  });
  const distribution = refs(downloads.map((one) => one['@id']));
  const description = 'Not in this crate: its publisher has it.';
  const published = { ...common, license, name: title, description, url, creditText, distribution };
  return [published, ...licences, ...downloads];
}

function describeVerdicts({ claims, question }: ReportVerdicts): Entity[] {
  const review = (id: string, claim: string, body: string, verdict: string): Entity[] => {
    const rating = `#verdict-${encodeURIComponent(verdict)}`;
    const common = { '@id': id, '@type': 'ClaimReview', claimReviewed: claim, reviewBody: body };
    return [
      { ...common, reviewRating: ref(rating) },
      { '@id': rating, '@type': 'Rating', alternateName: verdict },
    ];
  };
  const points = (share: number | null) => (share === null ? 'unknown' : (100 * share).toFixed(1));
  return [
    ...claims.flatMap(({ id, statement, measured, reason, verdict }) => {
      const body = [measured, reason].filter(Boolean).join('. ');
      return review(`#claim-${id}`, statement, body, VERDICT_TITLES[verdict]);
    }),
    ...(question?.arms ?? []).flatMap(({ model, baseline, difference, low, high, verdict }) => {
      const body = `${points(difference)} points, 95 % interval ${points(low)} to ${points(high)}.`;
      const beside = baseline === undefined ? '' : `, compared with ${baseline}`;
      return review(`#answer-${model}`, `${question?.text} ${model}${beside}`, body, verdict);
    }),
  ];
}
