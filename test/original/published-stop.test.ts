import { describe, expect, it } from 'vitest';
import { prepareTraining } from '../../src/original/preparation.ts';
import { documentedCommands, shortestCommand, words } from './documented-commands.ts';

/** The notes about the thesis' published script. */
function stops(command: readonly string[]): string[] {
  return prepareTraining(command, 'intent', '.').notes.filter((note) => note.includes('published script'));
}

const still = (name: string, more = '') =>
  words(`-init_tau 2.0 -device cpu -dataset_name ${name} -log_dir_prefix logs -T 4 -max_epoch 3${more}`);
const events = (name: string, more: readonly string[] = []) => [
  ...shortestCommand.map((word) => (word === 'DVS128Gesture' ? name : word)),
  ...more,
];

describe('a note that the published script would have stopped', () => {
  it.each([
    ...Object.entries(documentedCommands).map(
      ([name, command]) => [`the command of ${name}`, command] as const,
    ),
    ['DVS128 Gesture with LIF neurons', shortestCommand] as const,
    ['MNIST with LIF neurons', still('MNIST')] as const,
  ])('is not printed for %s', (_, command) => {
    expect(stops(command)).toEqual([]);
  });

  it.each([
    ['MNIST with PLIF neurons', still('MNIST', ' -use_plif'), 'MNIST’s network with PLIF neurons'],
    ['FashionMNIST', still('FashionMNIST'), 'the network for FashionMNIST'],
    ['CIFAR10', still('CIFAR10', ' -use_plif'), 'the network for CIFAR10'],
    ['N-MNIST', events('NMNIST'), 'the network for NMNIST'],
    ['CIFAR10-DVS', events('CIFAR10DVS', ['-use_plif']), 'the network for CIFAR10DVS'],
  ])('is printed for %s', (_, command, network) => {
    expect(stops(command)).toEqual([
      expect.stringMatching(
        `^-dataset_name \\w+: the thesis’ published script stops here with a TypeError, since it cannot construct ${network}; Fang’s original code trains it\\.$`,
      ),
    ]);
  });

  it('says that Fang’s code has no τ per neuron, if that is asked for', () => {
    expect(stops(events('NMNIST', ['-use_plif', '-tau_per_neuron']))[0]).toMatch(
      /Fang’s original code trains it, with one τ per layer\.$/,
    );
  });
});
