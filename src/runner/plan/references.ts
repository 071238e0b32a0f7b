import type { Json } from '../../schema/json.ts';

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
  if (!text.includes('${')) return { template: text === '' ? [] : [text] };
  const parts: (string | Reference)[] = [];
  let literal = '';
  for (let index = 0; index < text.length; ) {
    if (text.startsWith('$${', index)) {
      literal += '${';
      index += 3;
    } else if (text.startsWith('${', index)) {
      const end = text.indexOf('}', index);
      if (end === -1) {
        return {
          fault: { fragment: text.slice(index), message: `${JSON.stringify(text)} has no closing "}".` },
        };
      }
      const fragment = text.slice(index, end + 1);
      const name = fragment.slice(2, -1).trim();
      if (!namePattern.test(name)) {
        return {
          fault: {
            fragment,
            message: `"${fragment}" is not a reference.`,
            // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the pipeline's own syntax
            fix: 'A reference is a dotted key, such as ${dataset.root}; $${ stands for the characters ${.',
          },
        };
      }
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push({ text: fragment, path: name.split('.') });
      index = end + 1;
    } else {
      literal += text[index];
      index += 1;
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
      const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : 'a mapping';
      return {
        fault: {
          fragment: part.text,
          message: `"${part.text}" is ${kind} and cannot be part of a longer string.`,
        },
      };
    }
    result += String(value);
  }
  return { value: result };
}
