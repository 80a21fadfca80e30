/**
 * Compares what lint says of a configuration, keepalived accepts it or rejects it, with the configuration test of the real
 * keepalived in a lab whose node has every interface, user and script that the configurations name.
 *
 *   npm run bench -- lint                              the samples of keepalived's package and the topologies here, and 500
 *                                                      mutations of those among them that keepalived accepts
 *   npm run bench -- lint --mutations 2000 --seed 7
 *   npm run bench -- lint --samples DIR                the .conf files of a folder instead of the samples
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { terminalSteps } from '../../src/cli/steps.ts'
import { debFile, fetchDebs } from '../../src/engine/vm/debs.ts'
import { readLock } from '../../src/engine/vm/packages.ts'
import { host } from '../../src/engine/host-command.ts'
import { ensureTemplate, forkLab, prepareEngine } from '../../src/lab/vm-labs.ts'
import { readInputs } from '../../src/lint/input.ts'
import { lint } from '../../src/lint/lint.ts'
import { loadTopology } from '../../src/topology/load.ts'
import { planTopology } from '../../src/verify/plan.ts'
import { type Answer, askKeepalived, namedIn, NO_ANSWER, prepareNode, readAnswers } from '../../suites/config-test.ts'
import { mutate, randomOf } from '../../suites/config-mutations.ts'
import { benchOptions, text, whole } from '../bench-options.ts'
import { scratchFolder } from '../scratch-folder.ts'

const values = benchOptions({
  mutations: whole().default(500),
  seed: whole().default(() => Math.floor(Math.random() * 2 ** 31)),
  samples: text.optional(),
})

/** A command line to a node may have 128 KiB. */
const BATCH_BYTES = 60_000

interface Case {
  name: string
  text: string
}

const temporary = scratchFolder('lint')

using steps = terminalSteps(process.stderr)
const originals = [...(await samples()), ...topologies()]
const plan = planTopology(loadTopology('topologies/keepalived-dr'))
const prepared = await prepareEngine({ clock: 'default', steps })
const template = await ensureTemplate(prepared, plan.topology, plan.readiness, { steps })
await using lab = await forkLab(prepared, template, plan.topology, 'lint')
const [node = ''] = plan.directors
await prepare(originals)

console.log(`seed ${values.seed}, keepalived ${version()}`)
const answers = await ask(originals)
compare('configurations', originals, answers)
const accepted = originals.filter((_one, index) => answers[index]?.code === 0)
const random = randomOf(values.seed)
const mutants = Array.from({ length: accepted.length > 0 ? values.mutations : 0 }, (): Case => {
  const from = accepted[random(accepted.length)] as Case
  const mutant = mutate(from.text, random)
  return { name: `${from.name}, ${mutant.what}`, text: mutant.text }
})
await prepare(mutants)
compare('mutations', mutants, await ask(mutants))

/** What a configuration names is there, also where a mistake has made the name: this is not about what a node lacks. */
async function prepare(cases: Case[]): Promise<void> {
  await lab.exec(node, ['sh', '-c', prepareNode(namedIn(cases.map(one => one.text)))], { timeoutMs: 120_000 })
}

function version(): string {
  return readLock().sets.image.find(one => one.name === 'keepalived')?.version ?? ''
}

/** Those of the package that the lab runs. */
async function samples(): Promise<Case[]> {
  let folder = values.samples
  if (folder === undefined) {
    const lock = readLock()
    const deb = lock.sets.image.filter(one => one.name === 'keepalived')
    await fetchDebs(lock, deb, () => {})
    for (const one of deb) await host()`dpkg-deb -x ${debFile(one)} ${temporary}`
    folder = path.join(temporary, 'usr/share/doc/keepalived/samples')
  }
  const names = readdirSync(folder).filter(name => name.startsWith('keepalived.conf') || name.endsWith('.conf'))
  return names.sort().map(name => ({ name, text: readFileSync(path.join(folder, name), 'utf8') }))
}

/** One director of each topology, as one text. */
function topologies(): Case[] {
  return readdirSync('topologies', { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('ipvsadm'))
    .flatMap(({ name }) => {
      const [config] = planTopology(loadTopology(`topologies/${name}`)).configs
      const parts = (config?.files ?? []).map(file => readFileSync(file, 'utf8').replaceAll(/^include .*$/gm, ''))
      return parts.length === 0 ? [] : [{ name, text: parts.join('\n') }]
    })
}

async function ask(cases: Case[]): Promise<Answer[]> {
  const given: Answer[] = []
  while (given.length < cases.length) {
    const batch: string[] = []
    for (const { text: one } of cases.slice(given.length)) {
      if (batch.length > 0 && batch.join('').length + one.length > BATCH_BYTES) break
      batch.push(one)
    }
    const { stdout } = await lab.exec(node, ['sh', '-c', askKeepalived(batch)], { timeoutMs: 600_000 })
    const answered = readAnswers(stdout)
    if (answered.length !== batch.length)
      throw new Error(`${answered.length} answers to ${batch.length} configurations`)
    given.push(...answered)
  }
  return given
}

function judge({ text: configuration }: Case): { rejected: boolean; because: string } {
  const file = path.join(temporary, 'a.conf')
  writeFileSync(file, configuration)
  const results = readInputs([file]).map(input => lint(input))
  const [first] = results.flatMap(result => result.findings)
  return {
    rejected: results.some(result => result.rejected.length > 0),
    because: first ? `line ${first.at.line}: ${first.message} [${first.code}]` : 'nothing found',
  }
}

function compare(what: string, cases: Case[], said: Answer[]): void {
  let equal = 0
  let acceptedByBoth = 0
  for (const [index, one] of cases.entries()) {
    const { code, said: lines } = said[index] as Answer
    const { rejected, because } = judge(one)
    if (code === NO_ANSWER) console.log(`${one.name}: keepalived gives no answer, lint: ${because}`)
    if (rejected === (code !== 0)) {
      equal++
      if (!rejected) acceptedByBoth++
      continue
    }
    console.log(
      `${one.name}: keepalived ${code === 0 ? 'accepts' : `rejects (${code})`}, lint ${rejected ? 'rejects' : 'accepts'}`,
    )
    console.log(
      `  keepalived: ${lines.split('\n').filter(Boolean).slice(0, 2).join(' | ') || 'nothing said'}\n  lint: ${because}`,
    )
  }
  const share = cases.length === 0 ? '' : `, ${((100 * equal) / cases.length).toFixed(1)}%`
  console.log(`${what}: ${equal} of ${cases.length} agree${share} (${acceptedByBoth} accepted by both)`)
}
