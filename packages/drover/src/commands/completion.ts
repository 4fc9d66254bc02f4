import { policyNames } from '@drover/balancer'
import { nearest } from '@drover/kernel'
import { type Command, Command as CommandClass } from 'commander'
import { fault } from '../errors.ts'
import { say } from '../terminal.ts'

type Shell = 'bash' | 'zsh' | 'fish'
const shells: Record<Shell, (program: Command) => string> = { bash, zsh, fish }

/** `drover completion`: a script that makes a shell complete commands and options. */
export function completionCommand(program: () => Command): Command {
  return new CommandClass('completion')
    .description('Prints a script that completes commands and options in your shell.')
    .argument('<shell>', Object.keys(shells).join(', '))
    .addHelpText(
      'after',
      `
Examples:
  source <(drover completion bash)                                   now, or in ~/.bashrc
  drover completion zsh > "\${fpath[1]}/_drover"
  drover completion fish > ~/.config/fish/completions/drover.fish`,
    )
    .action((name: string) => {
      const known = Object.keys(shells)
      const near = nearest(name, known)
      const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`
      if (!(name in shells)) throw fault('USAGE', `no completion for "${name}"; ${hint}`)
      say(completionScript(name as Shell, program()))
    })
}

/** Returns the completion script of a shell. */
export function completionScript(shell: Shell, program: Command): string {
  return shells[shell](program)
}

/** The words after each command, as `balance --listen --tcp ...`. */
function vocabulary(program: Command): { name: string; says: string; words: string[] }[] {
  return program.commands.map((command) => ({
    name: command.name(),
    says: command.summary() || (command.description().split('\n')[0] ?? ''),
    words: [
      ...command.commands.map((inner) => inner.name()),
      ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    ],
  }))
}

function bash(program: Command): string {
  const rows = vocabulary(program)
  const cases = rows.map(({ name, words }) => `    ${name}) words="${words.join(' ')}" ;;`)
  return `_drover() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  case "$before" in
    --policy|-p|policy) words="${policyNames.join(' ')}" ;;
    *) case "\${COMP_WORDS[1]}" in
${cases.map((line) => `  ${line}`).join('\n')}
      *) words="${rows.map(({ name }) => name).join(' ')}" ;;
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _drover drover`
}

function zsh(program: Command): string {
  const rows = vocabulary(program)
  const quote = (text: string) => text.replaceAll("'", "'\\''").replaceAll(':', '\\:')
  return `#compdef drover
local -a commands
commands=(
${rows.map(({ name, says }) => `  '${name}:${quote(says)}'`).join('\n')}
)
if (( CURRENT == 2 )); then
  _describe command commands
  return
fi
case "$words[2]" in
${rows.map(({ name, words }) => `  ${name}) compadd -- ${words.join(' ')} ;;`).join('\n')}
esac
_files`
}

function fish(program: Command): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`
  return vocabulary(program)
    .flatMap(({ name, says, words }) => [
      `complete -c drover -n __fish_use_subcommand -a ${name} -d ${quote(says)}`,
      ...words.map((word) =>
        word.startsWith('--')
          ? `complete -c drover -n '__fish_seen_subcommand_from ${name}' -l ${word.slice(2)}`
          : `complete -c drover -n '__fish_seen_subcommand_from ${name}' -a ${word}`,
      ),
    ])
    .join('\n')
}
