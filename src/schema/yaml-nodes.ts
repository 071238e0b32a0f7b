import type { Alias, ParsedNode, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { suggestName } from './closest-name.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject, type JsonPath } from './json.ts';

/** For each path, with line breaks between its steps, where its key and its value are written, in characters from the start. */
export type Places = { readonly [path: string]: readonly [keyOffset: number, valueOffset: number] };

export function nameOfPath(path: JsonPath): string {
  return path.join('\n');
}

interface EntryPlace {
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly value: Json;
}

/** For every mapping and list, the places of its entries. */
type NodePlaces = WeakMap<object, ReadonlyMap<string | number, EntryPlace>>;

interface NodeFault {
  readonly offset: number;
  readonly message: string;
  /** Where the same thing occurs first. */
  readonly firstOffset?: number;
  readonly fix?: string | undefined;
}

export interface ReadNodes {
  readonly value: Json;
  readonly places: () => Places;
  readonly faults: readonly NodeFault[];
}

/**
 * Turns YAML nodes into JSON values. An alias shares the value of its anchor; keys must be strings.
 */
export function readNodes(yaml: typeof import('yaml'), root: ParsedNode): ReadNodes {
  const reader = new NodeReader(yaml);
  const value = reader.read(root);
  return { value, places: () => listPlaces(value, offsetOf(root), reader.places), faults: reader.faults };
}

function listPlaces(root: Json, at: number, places: NodePlaces): Places {
  const found: Record<string, readonly [number, number]> = { [nameOfPath([])]: [at, at] };
  const visit = (one: Json, path: JsonPath): void => {
    if (typeof one !== 'object' || one === null) return;
    for (const [step, { keyOffset, valueOffset, value }] of places.get(one) ?? []) {
      const inside = [...path, step];
      found[nameOfPath(inside)] = [keyOffset, valueOffset];
      visit(value, inside);
    }
  };
  visit(root, []);
  return found;
}

class NodeReader {
  readonly places: NodePlaces = new WeakMap();
  readonly faults: NodeFault[] = [];
  readonly #yaml: typeof import('yaml');
  /** Values by anchor; `null` while the anchored value is still being read. */
  readonly #anchors = new Map<string, { readonly value: Json } | null>();

  constructor(yaml: typeof import('yaml')) {
    this.#yaml = yaml;
  }

  read(node: unknown): Json {
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml;
    if (isAlias(node)) return this.#readAlias(node);
    if (isScalar(node)) return this.#anchored(node, () => this.#readScalar(node));
    if (isMap(node)) return this.#anchored(node, () => this.#readMap(node));
    if (isSeq(node)) return this.#anchored(node, () => this.#readSequence(node));
    return null;
  }

  #anchored(node: { anchor?: string | undefined }, read: () => Json): Json {
    const { anchor } = node;
    if (anchor !== undefined) this.#anchors.set(anchor, null);
    const value = read();
    if (anchor !== undefined) this.#anchors.set(anchor, { value });
    return value;
  }

  #readAlias(node: Alias): Json {
    const target = this.#anchors.get(node.source);
    if (target === undefined) {
      this.#fault(node, `there is no anchor "&${node.source}" above this alias.`, {
        fix: suggestName(node.source, this.#anchors.keys()),
      });
      return null;
    }
    if (target === null) {
      this.#fault(node, `the alias "*${node.source}" is inside the value it repeats, so it never ends.`);
      return null;
    }
    return target.value;
  }

  #readScalar(node: Scalar): Json {
    const { value } = node;
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) this.#fault(node, `${node.source ?? value} is not a finite number.`);
      else if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        this.#fault(node, `${node.source ?? value} is too large to be represented exactly.`, {
          fix: 'Quote it if it is a name.',
        });
      }
      return value;
    }
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    this.#fault(node, 'is not a string, a number, true, false or null.');
    return null;
  }

  #readSequence(node: YAMLSeq): Json {
    const entries = new Map<number, EntryPlace>();
    const values = node.items.map((item, index) => {
      const value = this.read(item);
      const offset = offsetOf(item, node);
      entries.set(index, { keyOffset: offset, valueOffset: offset, value });
      return value;
    });
    this.places.set(values, entries);
    return values;
  }

  #readMap(node: YAMLMap): Json {
    const entries = new Map<string, EntryPlace>();
    const merged: object[] = [];
    for (const { key, value: valueNode } of node.items) {
      const name = this.#readKey(key, node);
      const keyOffset = offsetOf(key, node);
      const value = this.read(valueNode);
      if (name === undefined) continue;
      if (name === '<<') {
        merged.push(...this.#readMergeSources(value, keyOffset));
        continue;
      }
      const first = entries.get(name);
      if (first !== undefined) {
        const message = `the key ${JSON.stringify(name)} appears twice.`;
        this.faults.push({ offset: keyOffset, firstOffset: first.keyOffset, message });
        continue;
      }
      entries.set(name, { keyOffset, valueOffset: offsetOf(valueNode, key, node), value });
    }
    for (const source of merged) {
      for (const [name, entry] of this.places.get(source) ?? []) {
        if (!entries.has(String(name))) entries.set(String(name), entry);
      }
    }
    const object = Object.fromEntries([...entries].map(([name, entry]) => [name, entry.value]));
    this.places.set(object, entries);
    return object;
  }

  #readKey(key: unknown, map: YAMLMap): string | undefined {
    const { isScalar } = this.#yaml;
    if (!isScalar(key) || typeof key.value !== 'string') {
      const shown = isScalar(key) ? String(key.source ?? key.value) : null;
      const message = shown === null ? 'a key must be a string.' : `the key ${shown} is not a string.`;
      const fix = shown === null ? undefined : `Quote it: "${shown}".`;
      this.faults.push({ offset: offsetOf(key, map), message, fix });
      return undefined;
    }
    if (key.anchor !== undefined) this.#anchors.set(key.anchor, { value: key.value });
    return key.value;
  }

  /** What `<<` names: a mapping, or a list of mappings of which the first wins. */
  #readMergeSources(value: Json, offset: number): JsonObject[] {
    const sources = isJsonList(value) ? value : [value];
    const mappings = sources.filter(isJsonObject);
    if (mappings.length < sources.length) {
      this.faults.push({ offset, message: '"<<" can only merge mappings.', fix: 'Write `<<: *anchor`.' });
    }
    return mappings;
  }

  #fault(node: { range?: unknown }, message: string, details: { fix?: string | undefined } = {}): void {
    this.faults.push({ offset: offsetOf(node), message, fix: details.fix });
  }
}

/** The offset of the first of these that has one: an empty value has none. */
function offsetOf(...nodes: readonly unknown[]): number {
  for (const node of nodes) {
    if (typeof node !== 'object' || node === null || !('range' in node)) continue;
    if (Array.isArray(node.range) && typeof node.range[0] === 'number') return node.range[0];
  }
  return 0;
}
