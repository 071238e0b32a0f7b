import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { networkKind } from '../../src/exchange/parity/network.ts';
import { neuronKind } from '../../src/exchange/parity/neuron.ts';
import { roundings } from '../../src/exchange/parity/tolerances.ts';
import { engineChoices } from '../../src/network/engines/engine.ts';

const page = readFileSync(new URL('../../docs/parity.md', import.meta.url), 'utf8');

it('docs/parity.md lists every key of neurons and networks, and every engine', () => {
  const words = new Set(page.match(/(?<=`)[\w-]+(?=`)/g));
  const expected = [...neuronKind.keys, ...networkKind.keys, ...engineChoices];
  expect(expected.filter((word) => !words.has(word))).toEqual([]);
});

it('docs/parity.md has the roundings that tolerances are made of', () => {
  const { normal, learningRate, frames, neuronStep, adamStep } = roundings;
  expect(page).toContain(`| normal and log-normal random numbers | ${normal} |`);
  expect(page).toContain(`| learning rates, outputs of a step | ${learningRate} |`);
  expect(page).toContain(`| normalised frames | ${frames} |`);
  expect(page).toContain(`gradients by the input | ${neuronStep} · T |`);
  expect([adamStep, page]).toEqual([10, expect.stringContaining('by ten roundings of its own')]);
});
