import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../schema/json.ts';

/** A value that a profile may have, as its schema describes it. */
export interface Key {
  /** `train.epochs` */
  readonly key: string;
  readonly description: string;
  /** All values, if the schema lists them. */
  readonly values: readonly string[];
  readonly isText: boolean;
}

/** The keys of a JSON Schema's objects, without those that contain others, in its order. */
export function listKeys(schema: Json): Key[] {
  const found: Key[] = [];
  const visit = (at: Json | undefined, key: string, depth: number): void => {
    // A schema may refer to itself.
    if (depth > 8) return;
    const one = resolve(schema, at);
    const parts = [
      one,
      ...[one.allOf, one.anyOf, one.oneOf].flatMap((list) => (isJsonList(list) ? list : [])),
    ];
    const properties = parts.flatMap((part) => {
      const { properties: inner } = resolve(schema, part);
      return isJsonObject(inner) ? Object.entries(inner) : [];
    });
    if (properties.length === 0 && key !== '') found.push(describe(key, one));
    for (const [name, value] of properties) visit(value, key === '' ? name : `${key}.${name}`, depth + 1);
  };
  visit(schema, '', 0);
  return [...new Map(found.map((one) => [one.key, one])).values()];
}

function describe(key: string, schema: JsonObject): Key {
  const values = isJsonList(schema.enum) ? schema.enum : schema.type === 'boolean' ? [true, false] : [];
  return {
    key,
    description: typeof schema.description === 'string' ? (schema.description.split('. ', 1)[0] ?? '') : '',
    values: values.filter((value) => typeof value !== 'object').map(String),
    isText: schema.type === 'string' || (isJsonList(schema.type) && schema.type.includes('string')),
  };
}

/** Follows `$ref` within the document. */
function resolve(root: Json, at: Json | undefined): JsonObject {
  let one = at;
  for (let steps = 0; steps < 8 && isJsonObject(one) && typeof one.$ref === 'string'; steps += 1) {
    let target: Json | undefined = root;
    for (const name of one.$ref.replace(/^#\/?/, '').split('/')) {
      if (name !== '') target = isJsonObject(target) ? target[name] : undefined;
    }
    one = target;
  }
  return isJsonObject(one) ? one : {};
}
