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

/** What a shell may offer after the words of a command. */
interface Place {
  readonly name: string
  readonly says: string
  readonly words: readonly string[]
  readonly inner: readonly Place[]
}

/** The words after each command, as `balance --listen --tcp ...`, and after those within it. */
function vocabulary(program: Command): readonly Place[] {
  return program.commands.map((command) => ({
    name: command.name(),
    says: command.summary() || (command.description().split('\n')[0] ?? ''),
    words: [
      ...command.commands.map((inner) => inner.name()),
      ...command.options.flatMap(({ long }) => (long ? [long] : [])),
    ],
    inner: vocabulary(command),
  }))
}

function bash(program: Command): string {
  const rows = vocabulary(program)
  const line = (name: string, words: readonly string[]) =>
    `      ${name}) words="${words.join(' ')}" ;;`
  const inner = rows.flatMap(({ name, inner }) =>
    inner.map((place) => line(`"${name} ${place.name}"`, place.words)),
  )
  return `_drover() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words after
  [ "$COMP_CWORD" -gt 2 ] && after="\${COMP_WORDS[2]}"
  [ "\${COMP_WORDS[1]} $COMP_CWORD" = "policy 3" ] && before=--policy
  case "$before" in
    --policy|-p) words="${policyNames.join(' ')}" ;;
    *) case "\${COMP_WORDS[1]}\${after:+ $after}" in
${inner.join('\n')}
      *) case "\${COMP_WORDS[1]}" in
${rows.map(({ name, words }) => line(name, words)).join('\n')}
      *) words="${rows.map(({ name }) => name).join(' ')}" ;;
      esac ;;
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
  const inner = rows.flatMap(({ name, inner }) =>
    inner.map(
      ({ name: second, words }) => `  '${name} ${second}') compadd -- ${words.join(' ')} ;;`,
    ),
  )
  return `#compdef drover
local -a commands
commands=(
${rows.map(({ name, says }) => `  '${name}:${quote(says)}'`).join('\n')}
)
if (( CURRENT == 2 )); then
  _describe command commands
  return
fi
local place="$words[2]"
(( CURRENT > 3 )) && place="$words[2] $words[3]"
case "$place" in
${inner.join('\n')}
${rows.map(({ name, words }) => `  ${name}|'${name} '*) compadd -- ${words.join(' ')} ;;`).join('\n')}
esac
_files`
}

function fish(program: Command): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`
  const offer = (seen: string, words: readonly string[]) =>
    words.map((word) =>
      word.startsWith('--')
        ? `complete -c drover -n '${seen}' -l ${word.slice(2)}`
        : `complete -c drover -n '${seen}' -a ${word}`,
    )
  return vocabulary(program)
    .flatMap(({ name, says, words, inner }) => {
      const seen = `__fish_seen_subcommand_from ${name}`
      return [
        `complete -c drover -n __fish_use_subcommand -a ${name} -d ${quote(says)}`,
        ...offer(seen, words),
        ...inner.flatMap((place) =>
          offer(`${seen}; and __fish_seen_subcommand_from ${place.name}`, place.words),
        ),
      ]
    })
    .join('\n')
}
