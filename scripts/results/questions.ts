// What the scripts of results/ have in common: the questions that are answered there, and how pages and figures write them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Papa from 'papaparse';
import { parse } from 'yaml';
import { mergeSettings } from '../../src/runner/plan/profile.ts';
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

/** The endpoints of all profiles in results/, without those of sweeps, which their reports have. */
export function listEndpoints(root: string) {
  const all = listProfiles(root).flatMap((profile) => {
    if (isSweep(root, profile)) return [];
    const read = (file: string) => readFileSync(path.join(root, 'results', profile, file), 'utf8');
    const endpoints = readEndpoints(read('claims.json'));
    const trainings = new Map(endpoints.length === 0 ? [] : readTrainings(read('answers.csv')));
    return endpoints.map((endpoint) => ({ profile, trainings, ...endpoint }));
  });
  return all.map((own) => ({
    ...own,
    arms: own.arms.map((arm) => ({ ...arm, speaker: findSpeaker(arm, own, all) })),
  }));
}

/** By `model@seed`, the answers of an answers.csv with their clips. */
function readTrainings(answers: string): [string, string][] {
  const [names = [], ...rows] = Papa.parse<string[]>(answers, { skipEmptyLines: true }).data;
  const columns = names.map((_, at) => rows.map((row) => row[at]).join());
  return names.map((name, at) => [name, [...columns.slice(0, 3), columns[at]].join()]);
}

type ProfileEndpoint = KeptEndpoint & { profile: string; trainings: ReadonlyMap<string, string> };

/** The profile that compares all trainings of a comparison and more, so that its verdict counts. */
function findSpeaker(arm: KeptEndpoint['arms'][number], own: ProfileEndpoint, all: ProfileEndpoint[]) {
  const isOfPair = (name: string) => name.startsWith(`${arm.model}@`) || name.startsWith(`${arm.baseline}@`);
  const ours = [...own.trainings].filter(([name]) => isOfPair(name));
  const speaker = all.findLast(({ profile, clips, trainings, arms }) => {
    if (profile === own.profile || clips !== own.clips) return false;
    const isSame = ours.every(([name, answers]) => trainings.get(name) === answers);
    const isJudged = arms.some(({ model, baseline }) => model === arm.model && baseline === arm.baseline);
    return isJudged && isSame && [...trainings.keys()].filter(isOfPair).length > ours.length;
  });
  return speaker?.profile;
}

/** Whether it was run at several values, by sweep.ts. */
export function isSweep(root: string, profile: string): boolean {
  return existsSync(path.join(root, 'results', profile, `${profile}.csv`));
}

/** In the order in which pages and figures have them. */
const KINDS = ['real recordings', 'still images', 'simulated'] as const;

/** What a profile's data are. */
export function kindOf(root: string, profile: string): (typeof KINDS)[number] {
  const { dataset } = readConfig(root, `profiles/${profile}`);
  const { layout } = readConfig(root, `datasets/${dataset.name}`);
  return dataset.simulated
    ? 'simulated'
    : ['idx', 'cifar10'].includes(layout)
      ? 'still images'
      : 'real recordings';
}

/** The profiles in results/: real recordings first, and of each kind those with most trainings. */
export function listProfiles(root: string): string[] {
  const all = readdirSync(path.join(root, 'results')).sort();
  const count = (profile: string): number => {
    const { models, seeds } = readConfig(root, `profiles/${profile}`);
    return models.length * seeds.length;
  };
  return KINDS.flatMap((kind) =>
    all.filter((profile) => kindOf(root, profile) === kind).sort((a, b) => count(b) - count(a)),
  );
}

export function titleOf(root: string, model: string): string {
  return readConfig(root, `models/${model}`).title;
}

/** @param name of a file in configs/, without its ending; of a profile, all that it sets is given */
export function readConfig(root: string, name: string): ReturnType<typeof parse> {
  const content = parse(readFileSync(path.join(root, `configs/${name}.yaml`), 'utf8'));
  if (content.extends === undefined) return content;
  return mergeSettings(readConfig(root, `profiles/${content.extends}`), { ...content, extends: null });
}

/** A table in Markdown. */
export function formatMarkdownTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  rule: readonly string[] = head.map(() => '---'),
): string {
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
