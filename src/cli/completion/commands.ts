import { Argument, type Command } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const examples = `
The script completes commands, options, stages and instances of the profile that the line names, profiles, keys and values of --set,
data sets and paths. It calls this installation of repro, so print it again after moving the project. It completes repro at
any path, such as ./repro.

Examples:
  $ repro completion bash > ~/.local/share/bash-completion/completions/repro
  $ repro completion zsh > ~/.zfunc/_repro                  with fpath+=(~/.zfunc) before compinit in ~/.zshrc
  $ repro completion fish > ~/.config/fish/completions/repro.fish`;

/** `completion`, and the hidden command that its scripts call. */
export function addCompletionCommands(program: Command): void {
  program
    .command('completion')
    .description('print the script that lets a shell complete commands, stages, profiles and more')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(shells))
    .addHelpText('after', examples)
    .action(async (shell) => (await import('./completion.ts')).printCompletion(shell));

  program
    .command('complete-words', { hidden: true })
    .argument('<shell>')
    .argument('[word...]')
    .action(async (shell, words) => (await import('./completion.ts')).printWords(program, shell, words));
}
