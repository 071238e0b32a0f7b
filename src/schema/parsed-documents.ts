import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { hashText } from '../files/canonical-json.ts';
import type { Json } from './json.ts';
import type { Places } from './yaml-nodes.ts';

/** Raise this when the meaning of a text changes. */
const formatVersion = 3;

/** A document's values, and where each is written. */
export interface ParsedNodes {
  readonly value: Json;
  /** Asked for in messages only: for a large pipeline they are longer than its values. */
  readonly places: () => Places;
}

/**
 * Remembers parsed YAML texts, since parsing a large pipeline takes longer than everything else in a run with nothing to do. Each document
 * has one file of three lines: the checksums of the text and of the rest, the values, their places. If a checksum does not match, the file
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
      const [value = '', places = ''] = body.split('\n');
      return { value: JSON.parse(value) as Json, places: () => JSON.parse(places) as Places };
    } catch {
      // It does not exist, or is damaged: the text is parsed.
      return null;
    }
  }

  keep(name: string, text: string, { value, places }: ParsedNodes): void {
    const body = `${JSON.stringify(value)}\n${JSON.stringify(places())}`;
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
