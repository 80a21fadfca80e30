import { deriveFrom } from '../../derive/read.ts'
import { writeDraft } from '../../derive/write.ts'
import { formatDraft } from '../../derive/yaml.ts'
import { defineVerb } from '../define-verb.ts'
import { runVerb } from '../run-verb.ts'

export const deriveCommand = defineVerb(
  'Example: lvslab derive my-pair --to my-pair-lab && lvslab verify my-pair-lab',
  {
    meta: {
      name: 'derive',
      description:
        'Write a topology from plain configurations of directors: networks, stubs for real servers, a client, routers. Needs no engine.',
    },
    args: {
      path: {
        type: 'positional',
        description:
          'folder with a folder or a .conf file for each director; or one keepalived.conf, ldirectord.cf or ipvsadm.rules',
        required: true,
      },
      to: { type: 'string', description: 'folder to write; without it topology.yaml is printed' },
    },
    run: ({ args }) =>
      runVerb(async () => {
        const { draft, directors } = deriveFrom(args.path)
        if (args.to === undefined) process.stdout.write(formatDraft(draft))
        else {
          await writeDraft(draft, directors, args.to)
          process.stdout.write(`${args.to}/topology.yaml: ${draft.nodes.map(node => node.name).join(', ')}\n`)
          for (const question of draft.questions) process.stdout.write(`  ? ${question}\n`)
        }
        return 0
      }),
  },
)
