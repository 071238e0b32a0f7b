import { expect, test } from 'vitest';
import { readCitation } from '../../../src/exchange/sharing/citation.ts';
import { describeCrate } from '../../../src/exchange/sharing/crate.ts';
import {
  type CrateContent,
  formatCrateReadme,
  licenseFrames,
} from '../../../src/exchange/sharing/crate-content.ts';
import type { RunRecord } from '../../../src/runner/store/records.ts';
import { NMNIST } from '../../support/datasets.ts';
import { type Entity, idsIn } from './run-crate.ts';

const digest = 'ab'.repeat(32);
const orcid = 'https://orcid.org/0000-0002-1825-0097';

/** A run that counts what is in real recordings. */
const record: RunRecord = {
  version: 1,
  ...{ id: 'verify', stage: 'verify', fingerprint: 'ff'.repeat(32), metrics: {}, profile: 'nmnist' },
  parts: {
    version: 1,
    command: { kind: 'command', argv: ['python3', 'count.py'] },
    ...{ code: {}, packages: {}, params: {}, matrix: {}, variables: {}, facts: {} },
    inputs: [
      { path: '/data/nmnist', external: true, digest },
      { path: 'logs', external: true, digest: 'missing' },
    ],
    outputs: ['counts.csv'],
    runtime: { platform: 'linux', arch: 'x64' },
  },
  outputs: [{ path: 'counts.csv', kind: 'file', digest: 'cd'.repeat(32), sizeBytes: 7, files: 1 }],
  ...{ startedAt: '2026-01-02T03:04:05.000Z', seconds: 60.5, peakMemoryBytes: null },
  ...{ host: 'here', node: '20.19.0', commit: 'c0ffee', dirty: true },
};

const content: CrateContent = {
  ...{ configuration: 'profile nmnist', command: './repro run --profile nmnist' },
  citation: readCitation({
    ...{ title: 'A program', version: '1', license: 'MIT', 'repository-code': 'https://example.org/plif' },
    authors: [{ 'given-names': 'Ada', 'family-names': 'King', orcid }],
  }),
  records: [record],
  files: [{ path: 'counts.csv', sizeBytes: 7, sha256: 'cd'.repeat(32) }],
  ...{ dataset: NMNIST, recordings: digest, simulated: false },
  licence: 'https://spdx.org/licenses/CC-BY-SA-4.0',
  verdicts: { claims: [] },
};

test('a crate of real recordings names them by digest, publisher, files and licence, and has no place of theirs', () => {
  const document = describeCrate(content);
  const { '@graph': graph } = document as { '@graph': Entity[] };
  const find = (id: string) => graph.find((one) => one['@id'] === id);
  expect(find(`#sha256-${digest}`)).toMatchObject({
    name: 'N-MNIST',
    license: { '@id': 'https://spdx.org/licenses/CC-BY-SA-4.0' },
    url: 'https://www.garrickorchard.com/datasets/n-mnist',
    creditText: expect.stringContaining('Orchard'),
  });
  const [file] = idsIn(find(`#sha256-${digest}`)?.distribution).map(find);
  expect(file).toMatchObject({
    '@type': 'DataDownload',
    identifier: expect.stringMatching(/^md5:[0-9a-f]{32}$/),
  });
  expect(JSON.stringify(document)).not.toContain('/data/nmnist');
  expect(JSON.stringify(document)).not.toContain('missing');
});

test('a crate says who made it, what ran when, and that its code was not committed', () => {
  const { '@graph': graph } = describeCrate(content) as { '@graph': Entity[] };
  const find = (id: string) => graph.find((one) => one['@id'] === id);
  expect(find(orcid)).toEqual({ '@id': orcid, '@type': 'Person', name: 'Ada King' });
  expect(find('./')).toMatchObject({
    author: [{ '@id': orcid }],
    datePublished: '2026-01-02T03:05:05.500Z',
    description: expect.stringContaining('not committed'),
  });
  expect(find('#command-verify')).toMatchObject({ '@type': 'SoftwareApplication' });
  expect(find('#verify')?.result).toEqual([{ '@id': 'counts.csv' }]);
  expect(find('#uncommitted%20changes%3Dyes')).toMatchObject({ name: 'uncommitted changes', value: 'yes' });
  const later = { ...record, startedAt: '2026-01-03T00:00:00.000Z', commit: 'beef' };
  const readme = formatCrateReadme({ ...content, records: [later, record] });
  expect(readme).toContain('N-MNIST, https://www.garrickorchard.com/datasets/n-mnist');
  expect(readme).toContain(
    'check out commit beef of https://example.org/plif, then `npm ci && ./repro run --profile nmnist`',
  );
});

test('the inputs of a run are what users change and the recordings, no file that a stage made', () => {
  const paths = ['pipeline.yaml', 'profiles/nmnist.yaml', 'made/settings.yaml'];
  const files = paths.map((path) => ({ path, sizeBytes: 1, sha256: digest }));
  const made = { ...record.outputs[0]!, path: 'made', kind: 'folder' } as const;
  const records = [{ ...record, outputs: [made] }];
  const { '@graph': graph } = describeCrate({ ...content, files, records }) as { '@graph': Entity[] };
  const inputs = idsIn(graph.find((one) => one['@id'] === '#run')?.object);
  expect(inputs).toEqual(['profiles/nmnist.yaml', `#sha256-${digest}`]);
});

test('files with frames have the licence of the recordings, and stay out if none is known', () => {
  const [page, report] = ['explore.html', 'index.html'].map((path) => ({
    path,
    sizeBytes: 1,
    sha256: digest,
  }));
  const license = (licence: string) => licenseFrames([page!, report!], (file) => file === page, licence);
  const { licence } = content;
  expect(license(licence)).toEqual([{ ...page, more: { license: { '@id': licence } } }, report]);
  expect(license('none stated')).toEqual([report]);
  const unknown = { ...content, licence: 'none stated' };
  expect(formatCrateReadme(unknown)).toContain('Not in here: frames, and the explorable page');
});
