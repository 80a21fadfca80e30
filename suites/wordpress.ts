import type { Browser, Page } from 'playwright-core'

/** WordPress as its administrator and its visitors have it: by a browser that is sent to the VIP. */

export const SITE = 'http://192.168.0.111/wordpress'
export const PROFILE = `${SITE}/wp-admin/profile.php`

const [USER, PASSWORD] = ['admin', 'correct horse battery staple']

/** A page takes a few seconds when PHP sees it for the first time, under software emulation on a busy host many; ms. */
const PAGE_MS = 120_000

/** Size of the picture that is uploaded. */
export const PICTURE = { width: 320, height: 200 }

export const newPage = async (browser: Browser): Promise<Page> => {
  const context = await browser.newContext({ viewport: PICTURE })
  context.setDefaultTimeout(PAGE_MS)
  return context.newPage()
}

/** Submits a form; returns who answered it. */
const submit = async (page: Page, button: string): Promise<string> => {
  const isAnswer = (method: string, kind: string) => method === 'POST' && kind === 'document'
  const [answer] = await Promise.all([
    page.waitForResponse(response => isAnswer(response.request().method(), response.request().resourceType())),
    page.waitForEvent('load'),
    page.click(button),
  ])
  return answer.headers()['x-real-server'] ?? ''
}

/** Heading of the page that is shown. */
export const heading = async (page: Page): Promise<string> => (await page.textContent('h1'))?.trim() ?? ''

/** The installer's one page, and what it says at the end. */
export const install = async (page: Page): Promise<string> => {
  await page.goto(`${SITE}/wp-admin/install.php`)
  await page.fill('#weblog_title', 'lab')
  await page.fill('#user_login', USER)
  await page.fill('#pass1', PASSWORD)
  await page.fill('#admin_email', 'admin@example.com')
  await submit(page, '#submit')
  return heading(page)
}

export const logIn = async (page: Page): Promise<string> => {
  await page.goto(`${SITE}/wp-login.php`)
  await page.fill('#user_login', USER)
  await page.fill('#user_pass', PASSWORD)
  await submit(page, '#wp-submit')
  return heading(page)
}

/** Uploads a picture of this name; returns the real server that took it. */
export const upload = async (page: Page, name: string): Promise<string> => {
  await page.goto(`${SITE}/wp-admin/media-new.php?browser-uploader`)
  const buffer = await page.screenshot()
  await page.setInputFiles('#async-upload', { name, mimeType: 'image/png', buffer })
  return submit(page, '#html-upload')
}

/** Saves the profile with another nickname; returns what WordPress says. */
export const rename = async (page: Page, nickname: string): Promise<string> => {
  await page.goto(PROFILE)
  await page.fill('#nickname', nickname)
  await submit(page, '#submit')
  return (await page.textContent('#message p'))?.trim() ?? ''
}

/**
 * Goes to a page as a browser that was just started, with the cookies of `like` where it is given. The page alone is fetched, none of
 * what it refers to: one visit is one connection.
 *
 * @returns who answered, with status and what is seen, or the browser's error
 */
export const visit = async (browser: Browser, url: string, like?: Page): Promise<string> => {
  const storageState = await like?.context().storageState()
  await using context = await browser.newContext(storageState ? { storageState } : {})
  context.setDefaultTimeout(PAGE_MS)
  await context.route('**', route => (route.request().isNavigationRequest() ? route.continue() : route.abort()))
  const page = await context.newPage()
  try {
    const response = await page.goto(url, { waitUntil: 'domcontentloaded' })
    const picture = page.locator('img').first()
    const size = async (): Promise<string> =>
      picture.evaluate(
        (image: { naturalWidth: number; naturalHeight: number }) => `${image.naturalWidth} x ${image.naturalHeight}`,
      )
    const seen = url.endsWith('.png') && response?.ok() ? await size() : await heading(page)
    return `${response?.headers()['x-real-server']} ${response?.status()} ${seen}`
  } catch (error) {
    const code = /net::\w+/.exec(String(error))?.[0]
    if (code === undefined) throw error
    return code
  }
}

/** Several visits one after the other, sorted: `rr` begins with either server. */
export const visits = async (browser: Browser, count: number, url: string, like?: Page): Promise<string[]> => {
  const seen: string[] = []
  for (let n = 0; n < count; n++) seen.push(await visit(browser, url, like))
  return seen.toSorted()
}
