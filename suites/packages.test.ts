import { expect } from 'vitest'
import { labTest } from '../src/suite/lab-test.ts'
import { run } from './steps.ts'

const test = labTest('suites/fixtures/packages')

test('a node has the packages that it names, with what they depend on, and no other node has', async ({ lab }) => {
  expect(await run(lab, 'd1', `echo '{"state":"MASTER"}' | jq -r .state`)).toMatchObject({ stdout: 'MASTER\n' })
  const versions = await run(
    lab,
    'd1',
    'dpkg-query --show --showformat "\\${db:Status-Abbrev}\\${Package}\\n" jq libjq1',
  )
  expect(versions.stdout).toBe('ii jq\nii libjq1\n')
  expect((await lab.exec('c1', ['sh', '-c', 'command -v jq'])).code).not.toBe(0)
  await run(lab, 'c1', 'curl --version')
})

test('a service that comes with a package was never started while its image was made', async ({ lab }) => {
  // what cron leaves behind where it has run once
  await run(lab, 'd1', '[ ! -e /run/crond.pid ] && ! pgrep -x cron')
  await run(lab, 'd1', '[ ! -e /usr/sbin/policy-rc.d ] && /etc/init.d/cron start && [ -e /run/crond.pid ]')
})
