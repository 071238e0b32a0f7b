import type { Json } from '../../schema/json.ts';
import { show } from '../../schema/schema-problems.ts';

/** `${a.b}` in a string. */
export interface Reference {
  /** As it is written, `${a.b}`. */
  readonly text: string;
  readonly path: readonly string[];
}

type Template = readonly (string | Reference)[];

export interface ReferenceFault {
  readonly fragment: string;
  readonly message: string;
  readonly fix?: string | undefined | (() => string | undefined);
}

export type Expanded = { readonly value: Json } | { readonly fault: ReferenceFault };

export type Lookup = (reference: Reference) => Expanded;

const namePattern = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/;

/** Splits a string at its references; `$${` stands for the characters `${`. */
export function parseTemplate(text: string): { template: Template } | { fault: ReferenceFault } {
  const parts: (string | Reference)[] = [];
  let literal = '';
  for (const [piece, name] of text.matchAll(/\$\$\{|\$\{([^}]*)\}|\$\{.*|\$|[^$]+/gs)) {
    if (piece === '$${') literal += '${';
    else if (!piece.startsWith('${')) literal += piece;
    else if (name === undefined) {
      return { fault: { fragment: piece, message: `${JSON.stringify(text)} has no closing "}".` } };
    } else if (!namePattern.test(name.trim())) {
      const message = `"${piece}" is not a reference.`;
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the pipeline's own syntax
      const fix = 'A reference is a dotted key, such as ${dataset.root}; $${ stands for the characters ${.';
      return { fault: { fragment: piece, message, fix } };
    } else {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push({ text: piece, path: name.trim().split('.') });
    }
  }
  if (literal !== '') parts.push(literal);
  return { template: parts };
}

/**
 * Replaces the references in a string with their values. A string that is exactly one reference takes the
 * value with its type; inside a longer string, numbers and booleans become text.
 */
export function expandText(text: string, lookup: Lookup): Expanded {
  if (!text.includes('${')) return { value: text };
  const parsed = parseTemplate(text);
  if ('fault' in parsed) return parsed;
  const [first] = parsed.template;
  if (parsed.template.length === 1 && typeof first === 'object') return lookup(first);

  let result = '';
  for (const part of parsed.template) {
    if (typeof part === 'string') {
      result += part;
      continue;
    }
    const expanded = lookup(part);
    if ('fault' in expanded) return expanded;
    const { value } = expanded;
    if (value === null || typeof value === 'object') {
      const message = `"${part.text}" is ${show(value)} and cannot be part of a longer string.`;
      return { fault: { fragment: part.text, message } };
    }
    result += String(value);
  }
  return { value: result };
}
