import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { isJsonList, isJsonObject, type Json } from './json.ts';
import type { EntryPlace, NodePlaces } from './yaml-nodes.ts';

/** Raise this when the same text comes to mean something else. */
const formatVersion = 1;

/** An alias is written out where it is used; a document that grows more than this is parsed each time. */
const growthAtMost = 10;

/** A document's values, and where each is written. */
export interface ParsedNodes {
  readonly value: Json;
  readonly at: number;
  readonly places: NodePlaces;
}

/**
 * Remembers what YAML texts mean, since parsing the file of a large pipeline takes longer than everything else in a run that has nothing
 * to do. Each document has one file, which says by checksums for which text it holds and that it is complete; anything else
 * counts as missing.
 */
export class ParsedDocuments {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param name of the document, whatever its text */
  find(name: string, text: string): ParsedNodes | null {
    try {
      const content = readFileSync(this.#fileOf(name), 'utf8');
      const end = content.indexOf('\n');
      const body = content.slice(end + 1);
      if (content.slice(0, end) !== headOf(text, body)) return null;
      const { value, at, offsets } = JSON.parse(body) as Encoded;
      return { value, at, places: new PlaceReader(offsets).read(value) };
    } catch {
      // It does not exist, or is damaged: the text is parsed.
      return null;
    }
  }

  keep(name: string, text: string, { value, at, places }: ParsedNodes): void {
    const offsets: number[] = [];
    if (!writeOffsets(value, places, offsets, text.length * growthAtMost)) return;
    const body = JSON.stringify({ value, at, offsets } satisfies Encoded);
    const file = this.#fileOf(name);
    const partial = `${file}.${process.pid}.partial`;
    try {
      mkdirSync(this.#folder, { recursive: true });
      writeFileSync(partial, `${headOf(text, body)}\n${body}`);
      renameSync(partial, file);
    } catch {
      // A full or read-only disk costs the next run some time and is not worth an error.
    }
  }

  #fileOf(name: string): string {
    return path.join(this.#folder, `${hash(name).slice(0, 32)}.json`);
  }
}

interface Encoded {
  readonly value: Json;
  readonly at: number;
  /** Of the key and the value of each entry, in the order of `Object.entries`, each before what is inside it. */
  readonly offsets: readonly number[];
}

function headOf(text: string, body: string): string {
  return `${formatVersion} ${hash(text)} ${hash(body)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** @returns whether there were at most `most` */
function writeOffsets(value: Json, places: NodePlaces, offsets: number[], most: number): boolean {
  const isList = isJsonList(value);
  if (!isList && !isJsonObject(value)) return true;
  const entries = places.get(value);
  for (const [key, child] of Object.entries(value)) {
    const place = entries?.get(isList ? Number(key) : key);
    if (place === undefined || offsets.length > most) return false;
    offsets.push(place.keyOffset, place.valueOffset);
    if (!writeOffsets(child, places, offsets, most)) return false;
  }
  return true;
}

class PlaceReader {
  readonly #offsets: readonly number[];
  readonly #places: NodePlaces = new WeakMap();
  #next = 0;

  constructor(offsets: readonly number[]) {
    this.#offsets = offsets;
  }

  read(value: Json): NodePlaces {
    const isList = isJsonList(value);
    if (!isList && !isJsonObject(value)) return this.#places;
    const entries = new Map<string | number, EntryPlace>();
    for (const [key, child] of Object.entries(value)) {
      const keyOffset = this.#offsets[this.#next] ?? 0;
      const valueOffset = this.#offsets[this.#next + 1] ?? 0;
      this.#next += 2;
      entries.set(isList ? Number(key) : key, { keyOffset, valueOffset, value: child });
      this.read(child);
    }
    this.#places.set(value, entries);
    return this.#places;
  }
}
