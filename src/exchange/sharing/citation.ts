import * as v from 'valibot';
import { checkShape, type Value } from '../../base/files/shape.ts';

const authorShape = v.object({
  /** Of a person. */
  'family-names': v.exactOptional(v.string()),
  'given-names': v.exactOptional(v.string()),
  orcid: v.exactOptional(v.string()),
  /** Of anyone else. */
  name: v.exactOptional(v.string()),
});

const shape = v.object({
  title: v.string(),
  version: v.string(),
  /** As SPDX names it. */
  license: v.string(),
  authors: v.array(authorShape),
  keywords: v.optional(v.array(v.string()), []),
  'repository-code': v.string(),
});

/** What CITATION.cff says of this program. */
export type Citation = Value<typeof shape>;

/**
 * Reads a CITATION.cff, version 1.2.
 *
 * @param value the parsed YAML
 * @throws {ReproError} `citation-invalid`, naming the field
 * @see https://github.com/citation-file-format/citation-file-format, schema-guide.md
 */
export function readCitation(value: unknown): Citation {
  const fix = 'Correct the file: a shared run needs its title, version, licence, authors and repository.';
  return checkShape(shape, value, { file: 'CITATION.cff', code: 'citation-invalid', fix });
}

/** What to do before anything is shared, while the address is still the placeholder; null otherwise. */
export function findPlaceholder({ 'repository-code': address }: Citation): string | null {
  if (!address.includes('/OWNER/')) return null;
  return `Set your address first: ${address} is a placeholder. Run node scripts/set-address.mjs, then export again, with --force.`;
}

/** `Wei Fang`, or the name of a group. */
export function nameAuthor(author: Citation['authors'][number]): string {
  return author.name ?? [author['given-names'], author['family-names']].filter(Boolean).join(' ');
}

/** The address of a data set's licence; null if the licence is unknown and so allows no copies. */
export function findLicence(licence: string): string | null {
  const [, family, version] = /^CC (BY(?:-SA)?) (\d\.\d)$/.exec(licence) ?? [];
  if (family !== undefined) return licenceUrl(`CC-${family}-${version}`);
  return licence.startsWith('MIT') ? licenceUrl('MIT') : null;
}

/** Whether a licence is an address, that of a known one, rather than words. */
export function isKnownLicence(licence: string): boolean {
  return licence.startsWith('https:');
}

/** The address of a licence by its SPDX name. */
export function licenceUrl(spdx: string): string {
  return `https://spdx.org/licenses/${spdx}`;
}
