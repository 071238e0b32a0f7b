import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ROCrate } from 'ro-crate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openZip } from '../../src/base/files/zip-file.ts';
import { type Crate, find, idsIn, typesOf } from '../exchange/sharing/run-crate.ts';
import { createTinyReproduction } from '../report/baseline/tiny-reproduction.ts';
import { type CliProject, repository } from '../runner/rig/cli-project.ts';

const load = createRequire(import.meta.url);
// Its types leave it out.
const { Validator } = load('ro-crate');

const METADATA = 'ro-crate-metadata.json';
const recordings = 'artifacts/simulate';
const placeholder = 'https://github.com/OWNER/plif-repro';
const note = `! Set your address first: ${placeholder} is a placeholder. Run node scripts/set-address.mjs`;

let project: CliProject;
/** The files of the crate, by path. */
let files: Map<string, Buffer>;

beforeAll(async () => {
  project = await createTinyReproduction();
  await fs.copyFile(path.join(repository, 'CITATION.cff'), project.at('CITATION.cff'));
  await project.write(
    'CITATION.cff',
    project.read('CITATION.cff').replace(/^repository-code: .*$/m, `repository-code: ${placeholder}`),
  );
  // Wherever the pipeline has them.
  await fs.rename(project.at('configs/profiles'), project.at('profiles'));
  await project.write('pipeline.yaml', project.read('pipeline.yaml').replace('configs/profiles', 'profiles'));
});

afterAll(() => project.remove('.'));

const call = (...words: readonly string[]) => project.call(words);

async function unzip(file: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const zip = await openZip(project.at(file));
  for await (const entry of zip.eachEntry()) {
    found.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
  }
  return found;
}

function readCrate(): Crate {
  const { '@context': context, '@graph': graph } = JSON.parse(String(files.get(METADATA)));
  return { context, graph, files: [...files.keys()] };
}

describe('repro export crate', () => {
  test('refuses a run that is not up to date, with the stages and the command that runs them', async () => {
    await project.expectFailure(['export', 'crate'], 2, 'not up to date', 'simulate', './repro run');
    expect((await call('run')).stderr).not.toContain('failed');
    await project.expectFailure(
      ['export', 'crate', '--set', 'train.epochs=3'],
      2,
      'train@lambda-0.1,2020  train.epochs: 2 → 3',
      './repro run --set train.epochs=3',
    );
  });

  test('packs a finished run, twice with the same bytes, and replaces no file unasked', async () => {
    expect(await project.json(['export', 'crate'])).toMatchObject({
      command: 'export crate',
      file: 'tiny.crate.zip',
    });
    await project.expectFailure(['export', 'crate'], 2, 'tiny.crate.zip', '--force');
    const again = await call('export', 'crate', '--out', 'again.zip', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ file: 'again.zip' });
    expect(again.stderr).toContain(note);
    expect(project.read('again.zip')).toBe(project.read('tiny.crate.zip'));
    files = await unzip('tiny.crate.zip');
    expect([...files.keys()]).toEqual(
      expect.arrayContaining([
        'artifacts/report/claims.json',
        'artifacts/train/lambda-0.1/2020/best.safetensors',
        'records/train@lambda-0.1,2020.json',
        'README.md',
      ]),
    );
    for (const left of [recordings, 'artifacts/frames'])
      expect([...files.keys()].filter((one) => one.startsWith(left))).toEqual([]);
    // Neither the machine's name nor its folders.
    expect(Buffer.concat([...files.values()]).includes(project.root)).toBe(false);
    expect(JSON.parse(String(files.get('records/verify.json')))).not.toHaveProperty('host');
  });

  test('names every file with its size and digest, and nothing that the graph does not describe', () => {
    const crate = readCrate();
    for (const [name, content] of files) {
      if (name === METADATA) continue;
      const entity = find(crate, name.split('/').map(encodeURIComponent).join('/'));
      const sha256 = createHash('sha256').update(content).digest('hex');
      expect(entity).toMatchObject({ contentSize: String(content.length), sha256 });
    }
    const known = new Set(crate.graph.map((one) => one['@id']).concat('https://w3id.org/ro/crate/1.3'));
    const named = crate.graph.flatMap((one) => Object.values(one).flatMap(idsIn));
    expect(named.filter((id) => !known.has(id))).toEqual([]);
  });

  test('satisfies the library of RO-Crate, whose context has all its terms', async () => {
    // Its own copy of the context: by reference, it would be fetched.
    const { '@context': terms } = load('ro-crate/lib/context.json');
    const { graph } = readCrate();
    const crate = new ROCrate({ '@context': [terms], '@graph': graph }, { array: true, link: true });
    await crate.resolveContext();
    expect(crate.rootDataset.mainEntity[0].step.map((one: { name: string[] }) => one.name[0])).toEqual(
      'simulate verify frames train evaluate report'.split(' '),
    );
    const validator = new Validator(crate);
    validator.rootDataEntity();
    const statuses = validator.results.map(({ status }: { status: string }) => status);
    expect(new Set(statuses)).toEqual(new Set(['success']));
    const used = graph.flatMap((one) => [...Object.keys(one), ...typesOf(one).map(String)]);
    expect(used.filter((term) => !term.startsWith('@') && !crate.resolveTerm(term))).toEqual([]);
  });

  test('says from what each stage made what, when and in which environment', () => {
    const crate = readCrate();
    const record = JSON.parse(String(files.get('records/train@lambda-0.1,2020.json')));
    const action = find(crate, '#train@lambda-0.1,2020');
    const end = new Date(Date.parse(record.startedAt) + record.seconds * 1000).toISOString();
    expect(action).toMatchObject({ startTime: record.startedAt, endTime: end });
    const read = idsIn(action?.object).map((id) => find(crate, id));
    for (const known of [
      { name: 'artifacts/frames', identifier: `sha256:${record.parts.inputs[0].digest}` },
      { name: 'engine', value: record.parts.facts.engine },
      { name: 'Node.js', value: record.node },
    ])
      expect(read).toContainEqual(expect.objectContaining(known));
    expect(idsIn(action?.result)).toEqual(['artifacts/train/lambda-0.1/2020/']);
    expect(idsIn(find(crate, '#run')?.object)).toContain('profiles/tiny.yaml');
    expect(find(crate, '#claim-spread')).toMatchObject({
      claimReviewed: 'It stays narrow',
      reviewBody: '0.07. In one seed.',
      reviewRating: { '@id': '#verdict-not%20applicable' },
    });
    expect(find(crate, './')?.description).toContain('simulated');
    const [data] = crate.graph.filter((one) => one.localPath === recordings);
    expect(data).toMatchObject({ license: { '@id': 'https://spdx.org/licenses/MIT' } });
  });
});
