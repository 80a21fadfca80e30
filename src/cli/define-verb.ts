import { type ArgsDef, type CommandDef, defineCommand } from 'citty'

const notes = new WeakMap<object, string>()
const anyNumber = new WeakSet<object>()

/**
 * A verb with what its `--help` says beneath the usage: an example, at least.
 *
 * @param options `anyNumber`: it takes more words than it has positional arguments, in `args._`
 */
export const defineVerb = <const T extends ArgsDef = ArgsDef>(
  more: string,
  definition: CommandDef<T>,
  options: { anyNumber?: boolean } = {},
): CommandDef<T> => {
  const command = defineCommand(definition)
  notes.set(command, more)
  if (options.anyNumber) anyNumber.add(command)
  return command
}

/** What {@link defineVerb} was given for a command. */
export const notesOf = (command: object): string => notes.get(command) ?? ''

/** Whether a command takes any number of words. */
export const takesAnyNumber = (command: object): boolean => anyNumber.has(command)
