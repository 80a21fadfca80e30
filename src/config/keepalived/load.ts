import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { LvslabError, messageOf, type Position } from '../../errors.ts'
import type { Notice } from '../../model/types.ts'
import { IncludeSteps, isInside, resolveInclude } from './include.ts'
import type { SourceFile } from './lines.ts'
import { attempt, type OnError, throwIt } from './on-error.ts'
import { parse, type Statement } from './parse.ts'
import type { PlacedText } from './placed.ts'
import { tokensOf } from './tokenize.ts'

/** A configuration with its includes in place. */
export interface Loaded {
  statements: Statement[]
  /** Every file that was read, in reading order. */
  files: string[]
  notices: Notice[]
}

/** Files and bytes that a configuration may have with all that it includes: keepalived has no limit, and may never end. */
const MOST_FILES = 2_000
const MOST_BYTES = 64 * 2 ** 20

/**
 * The name by which keepalived finds the lines of its own host (`@NAME`, `$_INSTANCE`): the host's, up to its first dot
 * (keepalived core/main.c `config_id`).
 */
export const configId = (host: string): string => host.replace(/\..*/s, '') || host

export interface LoadOptions {
  /** Name that `@NAME` lines ask for, and `$_INSTANCE`; none of them is meant where it is left out. */
  instance?: string
  /** Folder of the node that `root` stands for; default `/`. */
  mount?: string
  /** Where it does not throw, reading goes on after the error. */
  onError?: OnError
  /** What is done to the text of a file before it is read; it may not move anything. */
  edit?: (text: string, path: string) => string
}

/**
 * Reads a configuration file and everything that it includes into one tree.
 *
 * @param root folder that is laid over the node's root
 * @param file absolute path on the node
 * @throws LvslabError CONFIG_NOT_FOUND, CONFIG_UNREADABLE, CONFIG_INCLUDE_OUTSIDE, CONFIG_INCLUDE_LOOP, CONFIG_TOO_LARGE, CONFIG_ENCODING, and
 *   those of `tokenize` and `parse`
 */
export const loadTree = (root: string, file: string, options: LoadOptions = {}): Loaded => {
  const { instance, ...others } = options
  const from: From = { root, mount: '/', onError: throwIt, edit: text => text, ...others }
  const path = join(root, relative(from.mount, file))
  if (!statSync(path, { throwIfNoEntry: false })?.isFile())
    throw new LvslabError('CONFIG_NOT_FOUND', `There is no configuration file ${path}`, {
      exitCode: 2,
      remedy: `Put the node's keepalived.conf there; ${root} is laid over the node's root.`,
    })
  if (!isInside(realpathSync(root), realpathSync(path)))
    throw new LvslabError('CONFIG_INCLUDE_OUTSIDE', `${path} is a link to ${realpathSync(path)}, outside ${root}`, {
      remedy: `Put the file itself below ${root}.`,
      exitCode: 2,
    })
  const loaded: Loaded = { statements: [], files: [], notices: [] }
  if (isExecutable(path))
    loaded.notices.push({
      at: { file: path, line: 1, column: 1 },
      message: 'the file has an execute bit; keepalived refuses to read such a file',
    })
  const reader = new FileReader(from, loaded)
  const tokens = tokensOf(
    [reader.read(path)],
    {
      ...(instance === undefined ? {} : { instance }),
      onError: from.onError,
      folderOf: name => join(from.mount, relative(root, dirname(name))),
      include: (pattern, kind, open) => reader.include(pattern, kind, open),
    },
    loaded.notices,
  )
  loaded.statements = attempt(() => parse(tokens, from.onError), [], from.onError)
  return loaded
}

/** @throws LvslabError CONFIG_UNREADABLE */
const readable = (path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new LvslabError('CONFIG_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, {
      remedy: 'sudo cp -r the configuration to a folder of your own, or read it as a user who may',
      exitCode: 2,
      cause,
    })
  }
}

/** keepalived lib/parser.c `check_glob_file` takes regular files without any execute bit only. */
const isExecutable = (path: string): boolean => (statSync(path).mode & 0o111) !== 0

type From = Required<Omit<LoadOptions, 'instance'>> & { root: string }

/** Reads the files of one configuration, and keeps a list of them. */
class FileReader {
  readonly #from: From
  readonly #loaded: Loaded
  readonly #steps = new IncludeSteps()
  /** Where each file really is, links followed. */
  readonly #real = new Map<string, string>()
  #bytes = 0

  constructor(from: From, loaded: Loaded) {
    this.#from = from
    this.#loaded = loaded
  }

  read(path: string, at?: Position): SourceFile {
    const bytes = readable(path)
    this.#real.set(path, realpathSync(path))
    this.#bytes += bytes.length
    if (this.#loaded.files.push(path) > MOST_FILES || this.#bytes > MOST_BYTES)
      throw new LvslabError(
        'CONFIG_TOO_LARGE',
        `This configuration has more than ${MOST_FILES} files or ${MOST_BYTES / 2 ** 20} MiB with all that it includes`,
        { ...(at ? { at } : {}), exitCode: 2, remedy: 'Look for files that are included again and again.' },
      )
    const { edit, onError } = this.#from
    const text = attempt(() => decode(bytes, path, this.#loaded.notices), '', onError)
    return { name: path, text: edit(text, path) }
  }

  /**
   * The files of an `include`, each read when the one before it is at its end. With a letter behind `include` keepalived does
   * not start without them (lib/parser.c `check_include`, `open_and_check_glob`).
   *
   * @param kind that letter
   */
  *include(pattern: PlacedText, kind: string, open: string[]): Generator<SourceFile, void, undefined> {
    const { at } = pattern.place(0)
    const { notices } = this.#loaded
    const { onError } = this.#from
    const including = open.at(-1) ?? ''
    const files = attempt(
      () => resolveInclude(pattern.text, including, this.#from, at, this.#steps),
      undefined,
      onError,
    )
    if (!files) return
    const without = (message: string, isNeeded: boolean): void => {
      if (!isNeeded) notices.push({ at, message: `${message}; keepalived goes on without it` })
      else
        onError(
          new LvslabError('CONFIG_REFUSED', `${message}; with include${kind} keepalived does not start`, {
            at,
            exitCode: 2,
            remedy: 'Put the file where the pattern finds it, without an execute bit, or write include instead.',
          }),
        )
    }
    if (files.length === 0) {
      const [hasWildcard, hasBrace] = [/[*?[]/.test(pattern.text), pattern.text.includes('{')]
      const isNeeded = /[wa]/.test(kind) || (kind === 'm' && !hasWildcard) || (kind === 'b' && hasBrace)
      without(`include ${pattern.text} matches no file`, isNeeded)
    }
    for (const file of files) {
      if (isExecutable(file)) {
        without(`${file} has an execute bit`, kind !== '')
        continue
      }
      const real = realpathSync(file)
      if (open.some(one => this.#real.get(one) === real)) {
        onError(
          new LvslabError('CONFIG_INCLUDE_LOOP', `include ${pattern.text} reads ${file}, which is being read already`, {
            at,
            exitCode: 2,
            remedy: 'Break the circle: a file must not include itself, directly or through others.',
          }),
        )
        continue
      }
      yield this.read(file, at)
    }
  }
}

/**
 * keepalived knows bytes alone. What is no UTF-8 is taken for Latin-1, so that nothing of it is lost.
 *
 * @throws LvslabError CONFIG_ENCODING for UTF-16, no word of which keepalived could read
 */
const decode = (bytes: Buffer, file: string, notices: Notice[]): string => {
  const at = { file, line: 1, column: 1 }
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe' || mark === 'feff')
    throw new LvslabError('CONFIG_ENCODING', `${file} is UTF-16, which keepalived cannot read`, {
      at,
      exitCode: 2,
      remedy: `Save it as UTF-8 without a byte order mark: iconv -f UTF-16 -t UTF-8 ${file}`,
    })
  if (bytes.subarray(0, 3).toString('hex') === 'efbbbf')
    notices.push({
      at,
      message: 'the file starts with a byte order mark; keepalived takes it for a part of the first word',
    })
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    notices.push({ at, message: 'the file is not UTF-8; its bytes are read as Latin-1' })
    return bytes.toString('latin1')
  }
}
