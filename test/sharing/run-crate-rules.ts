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
  violate: (crate: Crate) => unknown,
];

const list = (value: unknown): unknown[] => (value === undefined ? [] : [value].flat());
const areAll = <One>(found: readonly One[], isGood: (one: One) => boolean): boolean =>
  found.length > 0 && found.every(isGood);
export const typesOf = (entity: Entity | undefined): string[] => list(entity?.['@type']).map(String);
/** The ids that a property names. */
export const idsIn = (value: unknown): string[] =>
  list(value).flatMap((one) =>
    typeof one === 'object' && one !== null && '@id' in one ? [String(one['@id'])] : [],
  );
export const find = ({ graph }: Crate, id: string): Entity | undefined =>
  graph.find((one) => one['@id'] === id);
/** The entity of this id, or all of this type. */
const choose = ({ graph }: Crate, idOrType: string): Entity[] =>
  graph.filter((one) => one['@id'] === idOrType || typesOf(one).includes(idOrType));
const toolsOf = (crate: Crate): string[] => idsIn(find(crate, 'pipeline.yaml')?.hasPart);
const isWhole = ({ instrument }: Entity): boolean => idsIn(instrument)[0] === 'pipeline.yaml';
/** Files and folders of the crate itself. */
const data = (crate: Crate): Entity[] =>
  [...choose(crate, 'File'), ...choose(crate, 'Dataset')].filter(
    ({ '@id': id }) => !/^(#|[a-z]+:)/.test(id) && id !== './',
  );

const rocrate = 'https://www.researchobject.org/ro-crate/specification/1.3';
const rootEntity = `${rocrate}/root-data-entity.html`;
const workflows = `${rocrate}/workflows.html`;
const workflowCrate = 'https://w3id.org/workflowhub/workflow-ro-crate/1.1';
const profiles = 'https://www.researchobject.org/workflow-run-crate/profiles/0.6';
const [processRun, workflowRun] = [`${profiles}/process_run_crate`, `${profiles}/workflow_run_crate`];
const provenanceRun = `${profiles}/provenance_run_crate`;
const conformsTo = ['process', 'workflow', 'provenance'].map(
  (name) => `https://w3id.org/ro/wfrun/${name}/0.6`,
);

/** An entity has all of these types. */
const types: readonly (readonly [source: string, id: string, types: string])[] = [
  [rootEntity, './', 'Dataset'],
  [rootEntity, 'ro-crate-metadata.json', 'CreativeWork'],
  [workflowCrate, 'pipeline.yaml', 'File SoftwareSourceCode ComputationalWorkflow'],
  [provenanceRun, 'pipeline.yaml', 'HowTo'],
  ...conformsTo.map((id) => [`${rocrate}/profiles.html`, id, 'CreativeWork Profile'] as const),
];

/** An entity, or all of a type, have a property: a text, one of this form, or entities of one of these types. */
const properties: readonly (readonly [
  source: string,
  idOrType: string,
  property: string,
  wanted?: string | RegExp,
])[] = [
  [rootEntity, 'ro-crate-metadata.json', 'about', 'Dataset'],
  [rootEntity, './', 'name'],
  [rootEntity, './', 'description'],
  [rootEntity, './', 'datePublished', /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/],
  [rootEntity, './', 'license', 'CreativeWork'],
  [workflowCrate, './', 'mainEntity', 'ComputationalWorkflow'],
  [workflowCrate, 'ComputationalWorkflow', 'programmingLanguage', 'ComputerLanguage'],
  [workflows, 'ComputationalWorkflow', 'name'],
  [workflows, 'ComputerLanguage', 'name'],
  [workflows, 'ComputerLanguage', 'url'],
  [workflows, 'ComputerLanguage', 'version'],
  [processRun, 'CreateAction', 'instrument', 'SoftwareApplication SoftwareSourceCode'],
  [provenanceRun, 'ComputationalWorkflow', 'hasPart', 'SoftwareApplication SoftwareSourceCode'],
  [provenanceRun, 'ComputationalWorkflow', 'step', 'HowToStep'],
  [provenanceRun, 'HowToStep', 'workExample', 'SoftwareApplication SoftwareSourceCode'],
  [provenanceRun, 'ControlAction', 'instrument', 'HowToStep'],
  [provenanceRun, 'ControlAction', 'object', 'CreateAction'],
];

/** The demands of RO-Crate 1.3, Workflow RO-Crate 1.1 and the three profiles 0.6 that a Provenance Run Crate can fail here. */
export const RULES: readonly Rule[] = [
  ...types.map(([source, id, wanted]): Rule => {
    const isMet = (crate: Crate) =>
      wanted.split(' ').every((type) => typesOf(find(crate, id)).includes(type));
    return [
      source,
      `${id} is a ${wanted}`,
      isMet,
      (crate) => Object.assign(find(crate, id) ?? {}, { '@type': [] }),
    ];
  }),
  ...properties.map(([source, idOrType, property, wanted]): Rule => {
    const isGood = (crate: Crate, value: unknown) => {
      if (typeof wanted !== 'string') return typeof value === 'string' && (wanted ?? /./).test(value);
      const found = idsIn(value).map((id) => typesOf(find(crate, id)));
      return areAll(found, (some) => wanted.split(' ').some((type) => some.includes(type)));
    };
    const must = `${idOrType} has ${property}, ${wanted ?? 'a text'}`;
    const isMet = (crate: Crate) => areAll(choose(crate, idOrType), (one) => isGood(crate, one[property]));
    const bad = wanted instanceof RegExp ? 'today' : [];
    return [
      source,
      must,
      isMet,
      (crate) => Object.assign(choose(crate, idOrType)[0] ?? {}, { [property]: bad }),
    ];
  }),
  [
    `${rocrate}/structure.html`,
    'the context of RO-Crate 1.3 is used by reference',
    ({ context }) => list(context).includes('https://w3id.org/ro/crate/1.3/context'),
    (crate) => Object.assign(crate, { context: 'https://schema.org' }),
  ],
  [
    `${rocrate}/structure.html`,
    'the graph is flat: no entity is written inside another',
    ({ graph }) =>
      graph
        .flatMap((entity) => Object.values(entity).flatMap(list))
        .every((one) => typeof one !== 'object' || Object.keys(one ?? {}).join() === '@id'),
    ({ graph }) => Object.assign(graph[0] ?? {}, { author: { '@type': 'Person', name: 'Ada' } }),
  ],
  [
    `${rocrate}/contextual-entities.html`,
    'no two entities have one @id',
    ({ graph }) => new Set(graph.map((one) => one['@id'])).size === graph.length,
    ({ graph }) => graph.push({ ...graph[1]! }),
  ],
  [
    `${rocrate}/data-entities.html`,
    'a file or folder with a relative @id is in the crate',
    (crate) =>
      areAll(data(crate), ({ '@id': id }) => {
        const path = decodeURIComponent(id);
        return crate.files.some((file) => (path.endsWith('/') ? file.startsWith(path) : file === path));
      }),
    ({ files }) => files.splice(files.indexOf('pipeline.yaml'), 1),
  ],
  [
    `${rocrate}/data-entities.html`,
    'files and folders are linked from the root by hasPart',
    (crate) => {
      const reached = new Set(['./']);
      for (const id of reached) for (const part of idsIn(find(crate, id)?.hasPart)) reached.add(part);
      return areAll(data(crate), ({ '@id': id }) => reached.has(id));
    },
    (crate) => delete find(crate, './')?.hasPart,
  ],
  [
    profiles,
    'the root conforms to the three profiles',
    (crate) => conformsTo.every((id) => idsIn(find(crate, './')?.conformsTo).includes(id)),
    (crate) => delete find(crate, './')?.conformsTo,
  ],
  [
    workflowRun,
    'a CreateAction has the main workflow as its instrument',
    (crate) => choose(crate, 'CreateAction').some(isWhole),
    (crate) => Object.assign(choose(crate, 'CreateAction').find(isWhole) ?? {}, { instrument: [] }),
  ],
  [
    provenanceRun,
    'every tool of the workflow was run, and has a step',
    (crate) =>
      ['CreateAction', 'HowToStep'].every((type) => {
        const named = choose(crate, type).flatMap((one) => idsIn(one.instrument ?? one.workExample));
        return toolsOf(crate).every((tool) => named.includes(tool));
      }),
    (crate) => delete choose(crate, 'HowToStep')[0]?.workExample,
  ],
  [
    provenanceRun,
    'the workExample of a step is a part of the workflow',
    (crate) =>
      areAll(choose(crate, 'HowToStep'), ({ workExample }) =>
        areAll(idsIn(workExample), (tool) => toolsOf(crate).includes(tool)),
      ),
    (crate) =>
      Object.assign(choose(crate, 'HowToStep')[0] ?? {}, { workExample: { '@id': 'pipeline.yaml' } }),
  ],
  [
    provenanceRun,
    'a step that needs another has a greater position',
    (crate) => {
      const positionOf = ({ instrument }: Entity) => {
        const [tool] = idsIn(instrument);
        return Number(choose(crate, 'HowToStep').find((one) => idsIn(one.workExample)[0] === tool)?.position);
      };
      const runs = choose(crate, 'CreateAction').filter((one) => !isWhole(one));
      return runs.every((one) =>
        runs
          .filter((other) => idsIn(other.result).some((id) => idsIn(one.object).includes(id)))
          .every((other) => positionOf(other) < positionOf(one)),
      );
    },
    (crate) => Object.assign(choose(crate, 'HowToStep').at(-1) ?? {}, { position: '-1' }),
  ],
];
