import type { ModelFile } from '../training/model-file.ts';
import type { Configuration } from './model-config.ts';

/** The longest comment line: fits an editor that is split in two. */
const columns = 110;

/**
 * A model file as text. Settings of a profile follow as comments, because a model file has no place for them.
 *
 * @param words the arguments that it comes from
 */
export function formatModelFile(
  { model, profile }: Configuration,
  words: readonly string[],
  device: string | null,
): string {
  return [
    '# yaml-language-server: $schema=../../schemas/model.schema.json',
    '# A model: save it as configs/models/NAME.yaml. It is equivalent to these arguments of the original:',
    ...wrapComment(words, '#   '),
    `title: ${JSON.stringify(model.title)}`,
    `description: ${JSON.stringify(model.description)}`,
    '',
    ...formatSections(model),
    '',
    ...describeProfile({ model, profile }, device),
    '',
  ].join('\n');
}

function formatSections(model: ModelFile): string[] {
  const lines = ['network:', ...formatEntries(model.network)];
  lines.push('', `loss: ${formatFlow(model.loss)}`);
  lines.push('', 'train:', ...formatEntries(model.train));
  if (model.compat !== undefined) {
    lines.push('', '# Points on which the original disagrees with itself: docs/deviations.md.');
    lines.push('compat:', ...formatEntries(model.compat));
  }
  return lines;
}

function formatEntries(section: object): string[] {
  return Object.entries(section).map(([key, value]) => `  ${key}: ${formatFlow(value)}`);
}

/** Numbers, keywords of the schema and flat mappings of these: none needs quotes. */
function formatFlow(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key}: ${formatFlow(one)}`)
    .join(', ')} }`;
}

function describeProfile(
  { profile }: Pick<Configuration, 'model' | 'profile'>,
  device: string | null,
): string[] {
  const { dataset, frames, seed } = profile;
  const lines = ['# The other settings belong to a profile, configs/profiles/NAME.yaml:'];
  lines.push(`#   dataset: { name: ${dataset.name}, … }  # as in configs/profiles/${dataset.profile}.yaml`);
  if (frames !== null) lines.push(`#   frames: ${formatFlow(frames)}`);
  lines.push('#   models: [NAME]', `#   seeds: [${seed}]`);
  lines.push('#   train: { engine: auto }  # CUDA if it works');
  if (device === 'cpu') {
    lines.push('# -device cpu: `auto` uses the CPU if CUDA_VISIBLE_DEVICES is set to nothing.');
  }
  const settings = [
    "'models=[NAME]'",
    `'seeds=[${seed}]'`,
    ...Object.entries(frames ?? {})
      // `none` is the default; setting it explicitly would make the frames stale.
      .filter(([, value]) => value !== 'none')
      .map(([key, value]) => `frames.${key}=${value}`),
  ];
  lines.push('# Or, without a new profile:');
  lines.push(
    ...wrapComment(
      ['./repro', 'run', '--profile', dataset.profile, ...settings.map((one) => `--set ${one}`)],
      '#   ',
    ),
  );
  return lines;
}

/** Wraps words into comment lines. */
function wrapComment(words: readonly string[], prefix: string): string[] {
  const lines: string[] = [];
  let line = prefix;
  for (const word of words) {
    // A line break in a word would end the comment.
    const shown = word.replace(/\s+/g, ' ');
    if (line !== prefix && line.length + shown.length > columns) {
      lines.push(line.trimEnd());
      line = prefix;
    }
    line += `${shown} `;
  }
  if (line !== prefix) lines.push(line.trimEnd());
  return lines;
}
