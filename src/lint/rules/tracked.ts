import { addressOf, ipVersion } from '../../config/keepalived/address.ts'
import { keyword } from '../../config/keepalived/parse.ts'
import { all, last } from '../../config/keepalived/values.ts'
import type { Found, LintInput, Rule } from '../rule.ts'
import { everyStatement } from '../statements.ts'

/** What instances and checks look at, besides scripts: processes, files, neighbours of BFD. */

/** Blocks that must say what they look at. */
const LOOKS_AT: Record<string, string> = { vrrp_track_process: 'process', track_file: 'file', vrrp_track_file: 'file' }

const trackEmpty = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) =>
    statements.flatMap(({ at, words, block }) => {
      const [{ text }, name] = words
      const what = Object.hasOwn(LOOKS_AT, text) ? LOOKS_AT[text] : undefined
      if (what === undefined || !block || block.some(line => keyword(line) === what)) return []
      return [{ at, message: `${text} ${name?.text ?? ''} has no ${what}; keepalived leaves it out` }]
    }),
  )

/** The neighbour of a BFD session is an address (bfd_parser.c `bfd_nbrip_handler`, `bfd_end_handler`). */
const bfdNeighbour = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) =>
    all(statements, 'bfd_instance').flatMap(({ at, words, block = [] }): Found[] => {
      const name = words[1]?.text ?? ''
      const [neighbour, source] = [['neighbor_ip', 'neighbour_ip'], ['source_ip']].map(
        keywords => last(block, ...keywords)?.words[1],
      )
      if (!neighbour) return [{ at, message: `bfd_instance ${name} has no neighbor_ip; keepalived leaves it out` }]
      const odd = [neighbour, source].find(one => one && ipVersion(addressOf(one.text)) === 0)
      if (odd) return [{ at: odd.at, message: `${odd.text} is not an address of bfd_instance ${name}` }]
      return source && ipVersion(addressOf(source.text)) !== ipVersion(addressOf(neighbour.text))
        ? [
            {
              at: source.at,
              message: `${source.text} and ${neighbour.text} of bfd_instance ${name} are not of one family`,
            },
          ]
        : []
    }),
  )

/** What a check of a real server names must stand before it, unlike what a vrrp_instance tracks. */
const NAMES: Record<string, { line: string; blocks: string[] }> = {
  FILE_CHECK: { line: 'track_file', blocks: ['track_file', 'vrrp_track_file'] },
  BFD_CHECK: { line: 'name', blocks: ['bfd_instance'] },
}

const nameUnknown = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) =>
    statements.flatMap((outer, index) =>
      everyStatement(outer.block ?? []).flatMap(check => {
        const word = keyword(check)
        const rule = Object.hasOwn(NAMES, word) ? NAMES[word] : undefined
        const line = rule && check.block?.find(one => keyword(one) === rule.line)
        const name = line?.words[1]
        if (!rule || !name) return []
        const before = statements.slice(0, index).filter(one => rule.blocks.includes(keyword(one)))
        if (before.some(one => one.words[1]?.text === name.text)) return []
        const message = `there is no ${rule.blocks[0]} ${name.text} before it; keepalived leaves the ${word} out`
        return [{ at: name.at, message }]
      }),
    ),
  )

const scriptUnused = ({ directors }: LintInput): Found[] =>
  directors.flatMap(({ statements }) => {
    const tracked = everyStatement(statements)
      .filter(one => keyword(one) === 'track_script')
      .flatMap(({ block = [] }) => block.map(keyword))
    return all(statements, 'vrrp_script').flatMap(({ at, words: [, name], block }) =>
      name && block && !tracked.includes(name.text)
        ? [{ at, message: `no instance tracks the vrrp_script ${name.text}: it is never run` }]
        : [],
    )
  })

export const trackedRules: Rule[] = [
  {
    code: 'script-untracked',
    severity: 'warning',
    rejected: false,
    title: 'A script that nobody tracks',
    why: 'keepalived says that it is not used, in one line of its log, and never runs it: what it looks for moves no VIP.',
    remedy: 'Name it in track_script of an instance or a sync group, or take it out.',
    check: scriptUnused,
  },
  {
    code: 'track-empty',
    severity: 'error',
    rejected: true,
    title: 'A block of something to track that does not say what',
    why: 'keepalived leaves it out, and nothing is tracked (vrrp_parser.c vrrp_tprocess_end_handler, track_file.c).',
    remedy: 'Write process (vrrp_track_process) or file (track_file).',
    check: trackEmpty,
  },
  {
    code: 'bfd-neighbour',
    severity: 'error',
    rejected: true,
    title: 'A BFD session without a neighbour, or with addresses that are none',
    why: 'keepalived leaves the bfd_instance out, and whoever tracks it (bfd_parser.c).',
    remedy: 'Write the IP address of the neighbour: neighbor_ip 10.0.0.254.',
    check: bfdNeighbour,
  },
  {
    code: 'name-unknown',
    severity: 'error',
    rejected: true,
    title: 'A check of something that is not defined before it',
    why: 'keepalived looks the name of a FILE_CHECK or a BFD_CHECK up while it reads, and leaves the check out (check_file.c, check_bfd.c).',
    remedy: 'Write the track_file or bfd_instance block before the virtual_server.',
    check: nameUnknown,
  },
]
