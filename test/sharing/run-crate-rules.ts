/** An entity of a crate's graph. */
export type Entity = { '@id': string; '@type': string | string[]; [property: string]: unknown };

export interface Crate {
  context: unknown;
  graph: Entity[];
  /** Paths of all files in the zip. */
  files: string[];
}

/**
 * What a published specification demands with MUST: where it is written, in words, whether a crate meets it, and a change after which a good
 * crate does not.
 */
type Rule = readonly [
  source: string,
  must: string,
  isMet: (crate: Crate) => boolean,
  violate: (crate: Crate) => void,
];

const rocrate = 'https://www.researchobject.org/ro-crate/specification/1.3';
const profiles = 'https://www.researchobject.org/workflow-run-crate/profiles/0.6';
const workflowCrate = 'https://w3id.org/workflowhub/workflow-ro-crate/1.1';

const list = (value: unknown): unknown[] => (value === undefined ? [] : [value].flat());
export const typesOf = (entity: Entity | undefined): unknown[] => list(entity?.['@type']);
/** The ids that a property names. */
export const idsIn = (value: unknown): string[] =>
  list(value).flatMap((one) =>
    typeof one === 'object' && one !== null && '@id' in one ? [String(one['@id'])] : [],
  );
export const find = ({ graph }: Crate, id: string): Entity | undefined =>
  graph.find((one) => one['@id'] === id);
const root = (crate: Crate): Entity => find(crate, './') ?? { '@id': '', '@type': '' };
const workflow = (crate: Crate): Entity =>
  find(crate, idsIn(root(crate).mainEntity)[0] ?? '') ?? { '@id': '', '@type': '' };
const all = (crate: Crate, type: string): Entity[] =>
  crate.graph.filter((one) => typesOf(one).includes(type));
const some = <T>(values: T[], isGood: (one: T) => boolean): boolean =>
  values.length > 0 && values.every(isGood);
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const names = (crate: Crate, value: unknown, ...types: string[]): boolean =>
  some(
    idsIn(value).map((id) => find(crate, id) ?? { '@id': id, '@type': [] }),
    (one) => typesOf(one).some((type) => types.includes(String(type))),
  );
const drop = (entity: Entity | undefined, property: string): void => {
  delete entity?.[property];
};
const isLocal = (id: string): boolean => !/^(#|[a-z]+:)/.test(id) && id !== './';

/** What the root leads to by `hasPart`. */
function partsOf(crate: Crate): Set<string> {
  const reached = new Set(['./']);
  for (const id of reached) for (const part of idsIn(find(crate, id)?.hasPart)) reached.add(part);
  return reached;
}

const rootProperty = (property: string, isGood: (value: unknown) => boolean): Rule => [
  `${rocrate}/root-data-entity.html`,
  `the root data entity has ${property}`,
  (crate) => isGood(root(crate)[property]),
  (crate) => drop(root(crate), property),
];

const conformsTo = (profile: string, source: string): Rule => [
  source,
  `the root conforms to a CreativeWork ${profile}`,
  (crate) =>
    idsIn(root(crate).conformsTo).includes(profile) && typesOf(find(crate, profile)).includes('CreativeWork'),
  (crate) =>
    crate.graph.splice(
      crate.graph.findIndex((one) => one['@id'] === profile),
      1,
    ),
];

const nameOf = (what: string, found: (crate: Crate) => Entity[], property: string): Rule => [
  `${rocrate}/workflows.html`,
  `${what} has ${property}`,
  (crate) => some(found(crate), (one) => isText(one[property])),
  (crate) => drop(found(crate)[0], property),
];

/** The demands of RO-Crate 1.3, Workflow RO-Crate 1.1 and the three profiles 0.6 that a Provenance Run Crate can fail here. */
export const RULES: readonly Rule[] = [
  [
    `${rocrate}/structure.html`,
    'the context of RO-Crate 1.3 is used by reference',
    ({ context }) => list(context).includes('https://w3id.org/ro/crate/1.3/context'),
    (crate) => {
      crate.context = 'https://schema.org';
    },
  ],
  [
    `${rocrate}/root-data-entity.html`,
    'the metadata descriptor is a CreativeWork about the root',
    (crate) => {
      const descriptor = find(crate, 'ro-crate-metadata.json');
      return typesOf(descriptor).includes('CreativeWork') && idsIn(descriptor?.about)[0] === './';
    },
    (crate) => drop(find(crate, 'ro-crate-metadata.json'), 'about'),
  ],
  rootProperty('@type', (value) => list(value).includes('Dataset')),
  rootProperty('name', isText),
  rootProperty('description', isText),
  rootProperty('datePublished', (value) => /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(String(value))),
  rootProperty('license', (value) => idsIn(value).length > 0 || isText(value)),
  [
    `${rocrate}/contextual-entities.html`,
    'no two entities have one @id',
    ({ graph }) => new Set(graph.map((one) => one['@id'])).size === graph.length,
    ({ graph }) => graph.push({ ...graph[1]! }),
  ],
  [
    `${rocrate}/structure.html`,
    'the graph is flat: no entity is written inside another',
    ({ graph }) =>
      graph.every((entity) =>
        Object.values(entity).every((value) =>
          list(value).every((one) => typeof one !== 'object' || Object.keys(one ?? {}).join() === '@id'),
        ),
      ),
    (crate) => Object.assign(root(crate), { author: { '@type': 'Person', name: 'Ada' } }),
  ],
  [
    `${rocrate}/data-entities.html`,
    'a file or folder with a relative @id is in the crate',
    (crate) =>
      some([...all(crate, 'File'), ...all(crate, 'Dataset')], ({ '@id': id }) => {
        const path = decodeURIComponent(id);
        return (
          !isLocal(id) ||
          crate.files.some((file) => (path.endsWith('/') ? file.startsWith(path) : file === path))
        );
      }),
    ({ files }) => files.splice(files.indexOf('pipeline.yaml'), 1),
  ],
  [
    `${rocrate}/data-entities.html`,
    'files and folders are linked from the root by hasPart',
    (crate) => {
      const parts = partsOf(crate);
      return some(
        [...all(crate, 'File'), ...all(crate, 'Dataset')],
        ({ '@id': id }) => !isLocal(id) || parts.has(id),
      );
    },
    (crate) => drop(root(crate), 'hasPart'),
  ],
  nameOf('a workflow', (crate) => [workflow(crate)], 'name'),
  nameOf('a ComputerLanguage', (crate) => all(crate, 'ComputerLanguage'), 'name'),
  nameOf('a ComputerLanguage', (crate) => all(crate, 'ComputerLanguage'), 'url'),
  nameOf('a ComputerLanguage', (crate) => all(crate, 'ComputerLanguage'), 'version'),
  [
    workflowCrate,
    'mainEntity is a File, SoftwareSourceCode and ComputationalWorkflow',
    (crate) =>
      ['File', 'SoftwareSourceCode', 'ComputationalWorkflow'].every((type) =>
        typesOf(workflow(crate)).includes(type),
      ),
    (crate) => drop(root(crate), 'mainEntity'),
  ],
  [
    workflowCrate,
    'the workflow names its programmingLanguage',
    (crate) => names(crate, workflow(crate).programmingLanguage, 'ComputerLanguage'),
    (crate) => drop(workflow(crate), 'programmingLanguage'),
  ],
  [
    `${rocrate}/profiles.html`,
    'every profile that the root conforms to is an entity of type Profile',
    (crate) => some(idsIn(root(crate).conformsTo), (id) => typesOf(find(crate, id)).includes('Profile')),
    (crate) =>
      Object.assign(find(crate, idsIn(root(crate).conformsTo)[0] ?? '') ?? {}, { '@type': 'CreativeWork' }),
  ],
  conformsTo('https://w3id.org/ro/wfrun/process/0.6', `${profiles}/process_run_crate`),
  conformsTo('https://w3id.org/ro/wfrun/workflow/0.6', `${profiles}/workflow_run_crate`),
  conformsTo('https://w3id.org/ro/wfrun/provenance/0.6', `${profiles}/provenance_run_crate`),
  [
    `${profiles}/process_run_crate`,
    'every CreateAction names the tool as its instrument',
    (crate) =>
      some(all(crate, 'CreateAction'), ({ instrument }) =>
        names(crate, instrument, 'SoftwareApplication', 'SoftwareSourceCode', 'ComputationalWorkflow'),
      ),
    (crate) => drop(all(crate, 'CreateAction').at(-1), 'instrument'),
  ],
  [
    `${profiles}/workflow_run_crate`,
    'a CreateAction has the main workflow as its instrument',
    (crate) => all(crate, 'CreateAction').some((one) => idsIn(one.instrument)[0] === workflow(crate)['@id']),
    (crate) => {
      const run = all(crate, 'CreateAction').find(
        (one) => idsIn(one.instrument)[0] === workflow(crate)['@id'],
      );
      Object.assign(run ?? {}, { instrument: workflow(crate).hasPart });
    },
  ],
  [
    `${profiles}/provenance_run_crate`,
    'the workflow has its tools as parts, and every one of them was run',
    (crate) => {
      const used = new Set(all(crate, 'CreateAction').flatMap((one) => idsIn(one.instrument)));
      const tools = idsIn(workflow(crate).hasPart);
      return (
        names(crate, workflow(crate).hasPart, 'SoftwareApplication', 'SoftwareSourceCode') &&
        tools.every((id) => used.has(id))
      );
    },
    (crate) => drop(workflow(crate), 'hasPart'),
  ],
  [
    `${profiles}/provenance_run_crate`,
    'a workflow with steps is a HowTo, and its steps are HowToSteps',
    (crate) => typesOf(workflow(crate)).includes('HowTo') && names(crate, workflow(crate).step, 'HowToStep'),
    (crate) =>
      Object.assign(workflow(crate), { '@type': ['File', 'SoftwareSourceCode', 'ComputationalWorkflow'] }),
  ],
  [
    `${profiles}/provenance_run_crate`,
    'a HowToStep names its tool as workExample',
    (crate) =>
      some(all(crate, 'HowToStep'), (one) =>
        idsIn(workflow(crate).hasPart).includes(idsIn(one.workExample)[0] ?? ''),
      ),
    (crate) => drop(all(crate, 'HowToStep')[0], 'workExample'),
  ],
  [
    `${profiles}/provenance_run_crate`,
    'a step that needs another has a greater position',
    (crate) => {
      const positionOf = (id: string) =>
        Number(all(crate, 'HowToStep').find((one) => idsIn(one.workExample)[0] === id)?.position);
      const tools = all(crate, 'CreateAction').filter(
        (one) => idsIn(one.instrument)[0] !== workflow(crate)['@id'],
      );
      return some(tools, (one) =>
        tools
          .filter((other) => idsIn(other.result).some((id) => idsIn(one.object).includes(id)))
          .every(
            (other) =>
              positionOf(idsIn(other.instrument)[0] ?? '') < positionOf(idsIn(one.instrument)[0] ?? ''),
          ),
      );
    },
    (crate) => Object.assign(all(crate, 'HowToStep').at(-1) ?? {}, { position: '-1' }),
  ],
  [
    `${profiles}/provenance_run_crate`,
    'a ControlAction has a HowToStep as its instrument',
    (crate) => some(all(crate, 'ControlAction'), ({ instrument }) => names(crate, instrument, 'HowToStep')),
    (crate) => drop(all(crate, 'ControlAction')[0], 'instrument'),
  ],
  [
    `${profiles}/provenance_run_crate`,
    'a ControlAction has a CreateAction as its object',
    (crate) => some(all(crate, 'ControlAction'), ({ object }) => names(crate, object, 'CreateAction')),
    (crate) => drop(all(crate, 'ControlAction')[0], 'object'),
  ],
];
