import type { Configuration, ModelFile } from './model-config.ts';

/** The longest line of a comment, so that it reads in an editor beside another. */
const columns = 110;

/**
 * A model's file as text. What belongs to a profile stands below it as comments, since a model's file has no place for it.
 *
 * @param words the arguments that it comes from
 * @param profileName the profile whose data are meant
 */
export function formatModelFile(
  { model, profile }: Configuration,
  words: readonly string[],
  device: string | null,
): string {
  return [
    '# yaml-language-server: $schema=../../schemas/model.schema.json',
    '# A model: save it as configs/models/NAME.yaml. It says what these arguments of the original say:',
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
    lines.push('', '# Where the original disagrees with itself: docs/deviations.md.');
    lines.push('compat:', ...formatEntries(model.compat));
  }
  return lines;
}

function formatEntries(section: object): string[] {
  return Object.entries(section).map(([key, value]) => `  ${key}: ${formatFlow(value)}`);
}

/** Numbers, words of a schema and flat mappings of them: none needs quotes. */
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
  const lines = ['# The rest belongs to a profile, configs/profiles/NAME.yaml:'];
  if (dataset === null) {
    lines.push('#   (no profile can have this data set yet: there is no reader for it)');
  } else {
    lines.push(`#   dataset: { name: ${dataset.name}, … }  # as in configs/profiles/${dataset.profile}.yaml`);
  }
  if (frames !== null) lines.push(`#   frames: ${formatFlow(frames)}`);
  lines.push('#   models: [NAME]', `#   seeds: [${seed}]`);
  lines.push('#   train: { engine: auto }  # CUDA where it works');
  if (device === 'cpu') {
    lines.push('# -device cpu: `auto` takes the CPU where CUDA_VISIBLE_DEVICES is set and empty.');
  }
  if (dataset !== null && frames !== null) {
    const settings = [
      "'models=[NAME]'",
      `'seeds=[${seed}]'`,
      ...Object.entries(frames)
        // None is what holds where nothing is said; saying it would make the frames again.
        .filter(([, value]) => value !== 'none')
        .map(([key, value]) => `frames.${key}=${value}`),
    ];
    lines.push('# Or, without a profile of its own:');
    lines.push(
      ...wrapComment(
        ['repro', 'run', '--profile', dataset.profile, ...settings.map((one) => `--set ${one}`)],
        '#   ',
      ),
    );
  }
  return lines;
}

/** Words in as many comment lines as they take. */
function wrapComment(words: readonly string[], prefix: string): string[] {
  const lines: string[] = [];
  let line = prefix;
  for (const word of words) {
    // No word may end the comment.
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
