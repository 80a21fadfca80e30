import type { Browser, Page } from 'playwright-core'
import { describe, expect } from 'vitest'
import type { Lab } from '../src/lab/lab.ts'
import { openBrowser } from '../src/suite/browser.ts'
import { labTest } from '../src/suite/lab-test.ts'
import { SERVERS, type ServerName } from './routed-pool.ts'
import { run } from './steps.ts'
import { heading, install, logIn, newPage, PICTURE, PROFILE, rename, SITE, upload, visits } from './wordpress.ts'

const test = labTest('topologies/wordpress-nat', { realClock: 'a browser on the host waits in the time of the host' })

const VIP = '192.168.0.111:80'
const DATABASE = '192.168.137.132'
const UPLOADS = '/var/lib/wordpress/wp-content/uploads'

/** MariaDB takes some 10 s to start under software emulation, most of which have passed when the lab was saved; ms. */
const DATABASE_MS = 120_000

const databaseUp = async (lab: Lab): Promise<void> => {
  const condition = { kind: 'listening', node: 'rs1', address: DATABASE, port: 3306 } as const
  expect(await lab.until(condition, DATABASE_MS), 'MariaDB listens').toBe(true)
}

/** Has WordPress installed by a browser, which is logged in then, and does something with it. */
const withSite = async (lab: Lab, use: (browser: Browser, page: Page) => Promise<void>): Promise<void> => {
  await databaseUp(lab)
  await using opened = await openBrowser(lab, 'c1', VIP)
  const page = await newPage(opened.browser)
  expect(await install(page)).toBe('Success!')
  expect(await logIn(page)).toBe('Dashboard')
  await use(opened.browser, page)
}

/** Leaves the page: what it asks from time to time is a connection too, and would take a turn of `rr`. */
const leave = (page: Page) => page.goto('about:blank')

const SIZE = `${PICTURE.width} x ${PICTURE.height}`

test('an upload is at one real server alone, until both have one volume', async ({ lab }) => {
  await withSite(lab, async (browser, page) => {
    const took = (await upload(page, 'first.png')) as ServerName
    const other = took === 'rs1' ? 'rs2' : 'rs1'
    await leave(page)
    const find = async (node: string, name: string) =>
      (await run(lab, node, `cd ${UPLOADS} && find . -name ${name}`)).stdout.trim()
    const first = await find(took, 'first.png')
    expect(first).toMatch(/^\.\/\d{4}\/\d\d\/first\.png$/)
    expect(await find(other, 'first.png')).toBe('')
    const urlOf = (file: string) => `${SITE}/wp-content/uploads/${file.slice(2)}`
    const half = [`${took} 200 ${SIZE}`, `${other} 404 Not Found`]
    expect(await visits(browser, 4, urlOf(first))).toEqual([...half, ...half].toSorted())

    // what is there already goes along; root of a client is nobody to the NFS server
    const mount = `mount -t nfs4 ${DATABASE}:/`
    await run(lab, took, `${mount} /mnt && runuser -u www-data -- cp -r ${UPLOADS}/. /mnt/ && umount /mnt`)
    for (const node of ['rs1', 'rs2']) await run(lab, node, `${mount} ${UPLOADS}`)
    const both = [`rs1 200 ${SIZE}`, `rs1 200 ${SIZE}`, `rs2 200 ${SIZE}`, `rs2 200 ${SIZE}`]
    expect(await visits(browser, 4, urlOf(first))).toEqual(both)

    await upload(page, 'second.png')
    await leave(page)
    const second = await find('rs1', 'second.png')
    expect(await find('rs2', 'second.png')).toBe(second)
    expect(await visits(browser, 4, urlOf(second))).toEqual(both)
  })
})

test('one web server lost: errors until it is out of the table, then the session goes on', async ({ lab }) => {
  await withSite(lab, async (browser, page) => {
    await leave(page)
    const [atRs1, atRs2] = ['rs1 200 Profile', 'rs2 200 Profile']
    expect(await visits(browser, 4, PROFILE, page), 'the session').toEqual([atRs1, atRs1, atRs2, atRs2])
    expect(await visits(browser, 2, PROFILE), 'no session').toEqual(['rs1 200 Log In', 'rs2 200 Log In'])

    const restart = await lab.inject('httpd-crash', 'rs1')
    const refused = 'net::ERR_CONNECTION_RESET'
    expect(await visits(browser, 4, PROFILE, page)).toEqual([refused, refused, atRs2, atRs2])

    await run(lab, 'd1', `ipvsadm -d -t ${VIP} -r ${SERVERS.rs1}:80`)
    expect(await visits(browser, 4, PROFILE, page)).toEqual([atRs2, atRs2, atRs2, atRs2])
    const failed: string[] = []
    page.on('requestfailed', request => failed.push(request.url()))
    expect(await rename(page, 'somebody else')).toBe('Profile updated.')
    expect(await heading(page)).toBe('Profile')
    expect(await page.inputValue('#nickname')).toBe('somebody else')
    expect(failed.filter(url => url.startsWith(SITE))).toEqual([])
    await restart()
  })
})

describe('without what makes it work', () => {
  /** What c1 gets of the front page, from either server. */
  const pages = async (lab: Lab): Promise<string[]> => {
    const curl = `curl -s -o /dev/null -w '%header{x-real-server} %{http_code}\\n' ${SITE}/`
    return (await run(lab, 'c1', `${curl}; ${curl}`)).stdout.trim().split('\n').toSorted()
  }

  test('a database that lets one of them in: every other page is an error', async ({ lab }) => {
    await databaseUp(lab)
    // not installed yet: the front page leads to the installer
    expect(await pages(lab)).toEqual(['rs1 302', 'rs2 302'])
    const [all, one] = ["wordpress@'192.168.137.%'", `wordpress@'${SERVERS.rs1}'`]
    await run(lab, 'db', `mariadb -e "RENAME USER ${all} TO ${one}"`)
    expect(await pages(lab)).toEqual(['rs1 302', 'rs2 500'])
    await run(lab, 'db', `mariadb -e "RENAME USER ${one} TO ${all}"`)
    expect(await pages(lab)).toEqual(['rs1 302', 'rs2 302'])
  })
})
