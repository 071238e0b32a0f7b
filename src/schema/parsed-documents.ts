import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { hashText } from '../files/canonical-json.ts';
import type { Json } from './json.ts';
import { type Places, packPlaces } from './places.ts';
import type { NodePlaces } from './yaml-nodes.ts';

/** Raise this when the meaning of a text changes. */
const formatVersion = 2;

/** Aliases are written out where they are used; a document that grows by more than this is parsed each time. */
const growthAtMost = 10;

/** A document's values, and where each is written. */
export interface ParsedNodes {
  readonly value: Json;
  /** The offset of the whole. */
  readonly at: number;
  readonly places: Places;
}

/**
 * Remembers parsed YAML texts, since parsing a large pipeline takes longer than everything else in a run with nothing to do. Each document
 * has one file with the checksums of the text and of the result; if they do not match, it counts as missing.
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
      return JSON.parse(body) as ParsedNodes;
    } catch {
      // It does not exist, or is damaged: the text is parsed.
      return null;
    }
  }

  /** @param places what the parser has found */
  keep(name: string, text: string, { value, at }: Omit<ParsedNodes, 'places'>, places: NodePlaces): void {
    const packed = packPlaces(value, places, text.length * growthAtMost);
    if (packed === null) return;
    const body = JSON.stringify({ value, at, places: packed } satisfies ParsedNodes);
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
    return path.join(this.#folder, `${hashText(name).slice(0, 32)}.json`);
  }
}

function headOf(text: string, body: string): string {
  return `${formatVersion} ${hashText(text)} ${hashText(body)}`;
}
