// What the scripts of results/ have in common: the questions that are answered there, and how pages and figures write them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import type { QuestionEntry } from '../../src/verdicts/claims-file.ts';

/** An endpoint of a question. */
export interface KeptEndpoint {
  /** The clips that it counts; null for all. */
  readonly clips: string | null;
  /** A model's id. */
  readonly baseline: string;
  readonly margin: number;
  /** Each with what it is compared with. */
  readonly arms: readonly Required<QuestionEntry['arms'][number]>[];
}

/** The endpoints of the question in claims.json; none if it asks nothing. */
export function readEndpoints(claims: string): KeptEndpoint[] {
  const { question }: { readonly question?: QuestionEntry } = JSON.parse(claims);
  if (question === undefined) return [];
  const { baseline, second } = question;
  const endpoints = [{ ...question, text: null }, ...(second === undefined ? [] : [second])];
  return endpoints.map(({ text: clips, margin, arms }) => ({
    ...{ clips, baseline, margin },
    arms: arms.map((arm) => ({ ...arm, baseline: arm.baseline ?? baseline })),
  }));
}

/** The endpoints of all profiles in results/, without those of sweeps, which their sections have. */
export function listEndpoints(root: string): (KeptEndpoint & { readonly profile: string })[] {
  return listProfiles(root).flatMap((profile) => {
    if (isSweep(root, profile)) return [];
    const endpoints = readEndpoints(readFileSync(path.join(root, 'results', profile, 'claims.json'), 'utf8'));
    return endpoints.map((endpoint) => ({ profile, ...endpoint }));
  });
}

/** Whether it was run at several values, and told of in a section of its own: by sweep.ts. */
export function isSweep(root: string, profile: string): boolean {
  return existsSync(path.join(root, 'results', profile, 'section.md'));
}

export function listProfiles(root: string): string[] {
  return readdirSync(path.join(root, 'results')).sort();
}

export function titleOf(root: string, model: string): string {
  return readConfig(root, `models/${model}`).title;
}

/** @param name of a file in configs/, without its ending */
export function readConfig(root: string, name: string): ReturnType<typeof parse> {
  return parse(readFileSync(path.join(root, `configs/${name}.yaml`), 'utf8'));
}

/** A table in Markdown. */
export function formatMarkdownTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  rule: readonly string[] = head.map(() => '---'),
): string {
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
