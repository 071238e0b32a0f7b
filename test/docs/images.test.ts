import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { blocks, readPage } from './pages.ts';

const dockerfile = readPage('Dockerfile');

test('images contain the Node.js that CI tests', () => {
  const { jobs } = parse(readPage('.github/workflows/ci.yml'));
  const inImages = [dockerfile, readPage('apptainer.def')].map((text) => /node:([\d.]+)-\S+/.exec(text));
  expect(inImages[0]?.[0]).toBe(inImages[1]?.[0]);
  expect(jobs.test.strategy.matrix.node).toContain(inImages[0]?.[1]);
});

test('the development container and the pages build only stages that the Dockerfile has', () => {
  const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, name]) => name);
  const { build } = JSON.parse(readPage('.devcontainer/devcontainer.json'));
  const shown = blocks.flatMap(({ text }) => [...text.matchAll(/--target (\w+)/g)].map(([, name]) => name));
  expect(shown).toContain('gpu');
  expect(stages).toEqual(expect.arrayContaining([...shown, build.target]));
});
