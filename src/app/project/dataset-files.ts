import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import { getAt } from '../../base/schema/json.ts';
import { readChecked } from '../../base/schema/schema-problems.ts';
import { commandToGet, showPath } from '../../data/contract/how-to-get.ts';
import {
  DATASETS_FOLDER,
  type DatasetContent,
  type DatasetFacts,
  toFacts,
} from '../../results/dataset-facts.ts';
import { readDatasetFacts } from '../../results/dataset-file.ts';
import type { Plan } from '../../runner/plan/plan.ts';

/** The data sets of a project: event recordings, then still images, then what exists only as a simulation; by name. */
export async function readAllFacts(projectRoot: string): Promise<DatasetFacts[]> {
  const all = await Promise.all(namesIn(projectRoot).map((name) => readCheckedFacts(projectRoot, name)));
  const rank = ({ kind, simulated }: DatasetFacts) => (simulated ? 2 : kind === 'images' ? 1 : 0);
  return all.sort((a, b) => rank(a) - rank(b));
}

function namesIn(projectRoot: string): string[] {
  const folder = path.join(projectRoot, DATASETS_FOLDER);
  const files = existsSync(folder) ? readdirSync(folder) : [];
  return files.flatMap((file) => (file.endsWith('.yaml') ? path.basename(file, '.yaml') : [])).sort();
}

/**
 * The facts of a data set, for commands that load no pipeline.
 *
 * @throws {ReproError} `dataset-unknown`, with the closest name
 * @throws {ConfigurationError} with what its file has wrong
 */
export async function readCheckedFacts(projectRoot: string, name: string): Promise<DatasetFacts> {
  const names = namesIn(projectRoot);
  if (!names.includes(name)) {
    throw new ReproError('dataset-unknown', `there is no data set "${name}".`, {
      where: 'dataset.name',
      fix: [suggestName(name, names), 'For recordings of your own: `./repro data new FOLDER`.']
        .filter(Boolean)
        .join(' '),
    });
  }
  const file = `${DATASETS_FOLDER}/${name}.yaml`;
  const schema = import('../../../schemas/dataset.schema.json', { with: { type: 'json' } });
  const { content } = await readChecked<DatasetContent>(
    path.join(projectRoot, file),
    file,
    'dataset',
    schema,
  );
  return toFacts(name, content);
}

/** Whether there is a file, or a folder with more than what a download has left. */
export function hasFiles(place: string): boolean {
  if (!existsSync(place)) return false;
  return !statSync(place).isDirectory() || readdirSync(place).some((name) => !/^\.|\.repro-part/.test(name));
}

/** Whether the recordings of a profile are simulated: made by stage `simulate`, or in the place of real ones. */
export function isSimulated(settings: Plan['settings']): boolean {
  return ['simulated', 'standIn'].some((key) => getAt(settings, ['dataset', key]) === true);
}

/** What says which data a plan reads. */
type Located = Pick<Plan, 'projectRoot' | 'settings'>;

/** The facts of a plan's data set, which its schema has checked; undefined if its settings name none. */
export async function factsOfPlan({ projectRoot, settings }: Located): Promise<DatasetFacts | undefined> {
  const file = path.join(projectRoot, DATASETS_FOLDER, `${getAt(settings, ['dataset', 'name'])}.yaml`);
  return existsSync(file) ? readDatasetFacts(file) : undefined;
}

/** Whether the recordings or images of a plan are here, and how to get them; null if it makes its own. */
export async function findData(plan: Located) {
  const facts = await factsOfPlan(plan);
  const root = getAt(plan.settings, ['dataset', 'root']);
  if (facts === undefined || typeof root !== 'string' || isSimulated(plan.settings)) return null;
  const place = path.resolve(plan.projectRoot, root);
  const isHere = hasFiles(place);
  const text = `${facts.title}: ${isHere ? 'in' : 'not in'} ${showPath(place)}`;
  return { isHere, text, fix: isHere ? null : commandToGet(facts, place) };
}
