import { type ArgsDef, type CommandDef, defineCommand } from 'citty'

const notes = new WeakMap<object, string>()

/** A verb with what its `--help` says beneath the usage: an example, at least. */
export const defineVerb = <const T extends ArgsDef = ArgsDef>(
  more: string,
  definition: CommandDef<T>,
): CommandDef<T> => {
  const command = defineCommand(definition)
  notes.set(command, more)
  return command
}

/** What {@link defineVerb} was given for a command. */
export const notesOf = (command: object): string => notes.get(command) ?? ''
