import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { quoteWord } from '../../base/files/shell-words.ts';
import { formatBytes } from '../../base/text.ts';
import { canFetch, type DatasetFacts, isCommitted, type PublishedFile } from '../../results/dataset-facts.ts';

/** `Train.zip (md5 2095…)`, with its size as far as it is known. */
export function describePublishedFile({ name, md5, sizeBytes, aboutBytes }: PublishedFile): string {
  const about = aboutBytes === undefined ? '' : `about ${formatBytes(aboutBytes)}, `;
  return `${name} (${sizeBytes === undefined ? about : `${formatBytes(sizeBytes)}, `}md5 ${md5})`;
}

/** The last step of every instruction: what checks the data at `root`, and what trains on them. */
export function thenRun({ name, root: usual }: Pick<DatasetFacts, 'name' | 'root'>, root: string): string[] {
  return [
    `Then run your command again; \`./repro profiles\` lists what there is. This checks every file:`,
    `   ./repro data verify ${name}${placeOption(root, usual)}`,
  ];
}

/** The folder that holds `root`, which may be an archive. */
function folderOf(root: string): string {
  return /\.(?:tar\.gz|tgz)$/.test(root) ? path.dirname(root) : root;
}

/** The command that gets the data to `root`, or tells how, where no address has them. */
export function commandToGet({ name, root: usual, ...facts }: DatasetFacts, root: string): string {
  const how = canFetch(facts) ? 'fetch' : 'info';
  return `./repro data ${how} ${name}${placeOption(folderOf(root), usual)}`;
}

/** ` --root DIR` for `repro data`; empty if that is the usual place. */
function placeOption(root: string, usual: string): string {
  return path.resolve(root) === path.resolve(usual) ? '' : ` --root ${quoteWord(showPath(root))}`;
}

/** All steps to get the data and put them at a root, a folder or an archive in one. */
export function howToGet(facts: DatasetFacts, wanted: string): string {
  const root = isCommitted(facts) ? facts.root : wanted;
  const { title, licence, homepage, hints, git } = facts;
  const files = facts.files.filter(({ urls }) => urls !== undefined);
  const folder = folderOf(root);
  const page = homepage === undefined ? '' : `; the publisher's page is ${homepage}`;
  const byHand = files.flatMap((file) => [
    `   ${describePublishedFile(file)} from`,
    `      ${file.urls?.[0]}`,
  ]);
  if (git !== undefined) byHand.push(`   the folder ${git.folder} of ${git.url} at commit ${git.commit}`);
  const [first = '', ...rest] =
    facts.simulated === true
      ? ['Stage `simulate` makes it: it needs no download.']
      : isCommitted(facts)
        ? [`${title} is in the repository: \`git checkout -- ${facts.root}\` restores it.`]
        : byHand.length === 0
          ? [
              homepage === undefined
                ? `${title}: its recordings are expected in ${showPath(folder)}.`
                : `${title} (licence: ${licence}) has to be put into ${showPath(folder)} by hand${page}:`,
            ]
          : [
              `${title} (${licence}) can be downloaded by one command:`,
              `   ${commandToGet(facts, root)}`,
              `or by hand, into ${showPath(folder)}${page}:`,
            ];
  return [first, ...rest, ...byHand, ...hints.map((hint) => `   ${hint}`), ...thenRun(facts, root)].join(
    '\n',
  );
}

/** Said where the data are not at `dataset.root`. */
const ELSEWHERE =
  'If they are in another folder: --set dataset.root=DIR, relative to the project folder, or `./repro data … --root DIR`.';

/** @throws {ReproError} `data-missing`: the data are not at `root`, and how to get them */
export function failMissing(
  facts: DatasetFacts,
  noun: 'recordings' | 'samples' | 'files',
  root: string,
  what: string,
): never {
  const message = `the ${facts.title} ${noun} were not found: ${path.resolve(root)} ${what}.`;
  throw new ReproError('data-missing', message, {
    where: 'dataset.root',
    fix: [howToGet(facts, root), ELSEWHERE].join('\n'),
  });
}

/** @throws {ReproError} `data-kind` if such data do not exist: besides gestures, a data set is either real or simulated */
export function checkKind(
  facts: Pick<DatasetFacts, 'name' | 'title' | 'profile' | 'simulated'>,
  noun: 'samples' | 'images',
  simulated: boolean,
): void {
  if ((facts.simulated === true) === simulated) return;
  const { name, title, profile } = facts;
  const [wrong, there] = simulated ? ['simulated', 'real'] : ['real', 'simulated'];
  throw new ReproError('data-kind', `there are no ${wrong} ${title} ${noun}.`, {
    where: 'dataset.simulated',
    fix:
      `For ${there} ${noun}: ./repro ${profile === undefined ? `data verify ${name}` : `run verify --profile ${profile}`}` +
      (simulated ? '\nFor simulated gestures: ./repro run --profile quick' : ''),
  });
}

/** A path as a person would write it: relative where that is shorter to read. */
export function showPath(target: string): string {
  const relative = path.relative(process.cwd(), target);
  return relative === '' || relative.startsWith('..') ? target : relative;
}

/** ` --set dataset.root=DIR` for a command that should read `root`; empty if that is the profile's own value. */
export function rootOption(root: string, usual: string): string {
  if (path.resolve(root) === path.resolve(usual)) return '';
  return ` --set ${quoteWord(`dataset.root=${showPath(root)}`)}`;
}
