/** An entity of a crate's graph. */
export type Entity = { '@id': string; '@type': string | string[]; [property: string]: unknown };

export interface Crate {
  context: unknown;
  graph: Entity[];
  /** Paths of all files in the zip. */
  files: string[];
}

const list = (value: unknown): unknown[] => (value === undefined ? [] : [value].flat());

export const typesOf = (entity: Entity | undefined): string[] => list(entity?.['@type']).map(String);

/** The ids that a property names. */
export const idsIn = (value: unknown): string[] =>
  list(value).flatMap((one) =>
    typeof one === 'object' && one !== null && '@id' in one ? [String(one['@id'])] : [],
  );

export const find = ({ graph }: Crate, id: string): Entity | undefined =>
  graph.find((one) => one['@id'] === id);
