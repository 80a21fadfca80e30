import { describe, expect, it } from 'vitest'
import type { Draft } from './draft.ts'
import { CHECK, instance, node, pair, service } from './testing.ts'

describe('a real server satisfies its checks', () => {
  const files = (check: string, port = 80): Record<string, string> =>
    node(pair(instance(), service('10.0.0.100 80', 'NAT', [`10.0.0.10 ${port}`], check)), 'rs1').files

  const conf = (check: string): string | undefined => files(check)['/etc/apache2/conf-enabled/stub.conf']
  const get = (url: string): string => `HTTP_GET {\n url {\n ${url}\n }\n }`

  it('has the page of an HTTP_GET, and of one below it', () => {
    expect(conf(get('path /health.php?full\n status_code 200'))).toBe(
      'AliasMatch "^/health\\.php$" /var/www/html/index.html\n',
    )
    expect(conf(`${get('path /a')}\n${get('path /a/b')}`)).toBe(
      'AliasMatch "^/a$" /var/www/html/index.html\nAliasMatch "^/a/b$" /var/www/html/index.html\n',
    )
    expect(conf(get('path /'))).toBeUndefined()
  })

  it('answers with another status where the check wants one', () => {
    expect(conf(get('path /\n status_code 403'))).toBe('RedirectMatch 403 "^/$"\n')
    expect(conf(get('path /to\n status_code 302'))).toBe('RedirectMatch 302 "^/to$" /\n')
    expect(conf(get('path /x\n status_code 204-206'))).toBe('RedirectMatch 204 "^/x$"\n')
    expect(conf(get('path /x\n status_code 100-299'))).toBe('AliasMatch "^/x$" /var/www/html/index.html\n')
  })

  it('asks for what a stub cannot have, and puts nothing anywhere else', () => {
    const asked = (url: string): string[] =>
      pair(instance(), service('10.0.0.100 80', 'DR', ['10.0.0.10 80'], get(url))).questions
    for (const path of ['/../../../etc/cron.d/x', '/a/../b', '/a//b', '/a%2e', '/..', '/./x'])
      expect(asked(`path ${path}`), path).toEqual([
        `rs1: HTTP_GET asks ${JSON.stringify(path)}, which a stub cannot have: put what answers below var/www/html`,
      ])
    expect(asked('path /\n digest 9b3a0c85a887a256d6939da88aabd8cd')).toEqual([
      'rs1: HTTP_GET wants a page with a certain digest at /: put it below var/www/html',
    ])
    expect(Object.keys(files(get('path /../../x')))).toEqual(['/var/www/html/index.html'])
  })

  it('speaks TLS for an SSL_GET', () => {
    const stub = files('SSL_GET {\n url {\n path /\n }\n }', 8443)
    expect(stub['/etc/apache2/conf-enabled/stub.conf']).toMatch(/^Listen 8443\n<VirtualHost \*:8443>/)
    expect(stub['/etc/apache2/stub.pem']).toContain('BEGIN CERTIFICATE')
  })

  it('listens where connect_port points', () => {
    expect(files('TCP_CHECK {\n connect_port 9000\n }')['/etc/apache2/conf-enabled/stub.conf']).toBe('Listen 9000\n')
  })

  it('speaks SMTP and DNS where a check does, and nothing else there', () => {
    const smtp = files('SMTP_CHECK {\n host {\n connect_port 2525\n }\n }', 25)
    expect(smtp['/etc/rc.local']).toBe('#!/bin/sh -e\n/usr/local/sbin/stub smtp 2525\n/usr/local/sbin/stub smtp 25\n')
    const dns = files('DNS_CHECK {\n name example.com\n }\nTCP_CHECK {\n }', 53)
    expect(dns['/etc/rc.local']).toBe('#!/bin/sh -e\n/usr/local/sbin/stub dns 53\n')
    for (const stub of [smtp, dns]) {
      expect(stub['/usr/local/sbin/stub']).toMatch(/^#!\/usr\/bin\/perl\n/)
      expect(stub['/etc/apache2/conf-enabled/stub.conf']).toBeUndefined()
    }
    expect(files(get('path /'))['/usr/local/sbin/stub']).toBeUndefined()
  })

  it('sends the reply that a UDP_CHECK wants where that is certain, and asks for one where it is not', () => {
    const udp = (reply: string): Draft =>
      pair(
        instance(),
        service('10.0.0.100 53', 'NAT', ['10.0.0.10 53'], `UDP_CHECK {\n ${reply}\n }`).replace(
          'protocol TCP',
          'protocol UDP',
        ),
      )
    const certain = udp('require_reply 706f6e67\n min_reply_length 6')
    expect(certain.questions).toEqual([])
    expect(node(certain, 'rs1').files['/etc/rc.local']).toBe(
      '#!/bin/sh -e\n/usr/local/sbin/stub reply 53 706f6e670000\n',
    )
    expect(udp('require_reply 70XX').questions).toEqual([
      'rs1: UDP_CHECK wants a certain reply: put what sends it into etc/rc.local',
    ])
  })

  it('says what only the user can bring', () => {
    const draft = pair(
      instance(),
      service('10.0.0.100 25', 'DR', ['10.0.0.10 25'], 'MISC_CHECK {\n misc_path /opt/check\n }'),
    )
    expect(draft.questions).toEqual([
      'rs1: MISC_CHECK runs /opt/check: put it, and what it asks, into the folders of the nodes',
    ])
  })

  it('says sorry where it is asked, as the real servers do: NAT alone has a port of its own for it', () => {
    const sorry = (port: number, kind: string, check = CHECK) => {
      const text = service(`10.0.0.100 ${port}`, kind, [`10.0.0.10 ${port}`], check)
      const draft = pair(instance(), text.replace(/}\s*$/, 'sorry_server 10.0.0.30 81\n}'))
      return node(draft, 'rs2').files['/etc/apache2/conf-enabled/stub.conf']
    }
    expect(sorry(3306, 'NAT')).toBe('Listen 81\n')
    expect(sorry(3306, 'DR')).toBe('Listen 3306\n')
    expect(sorry(8443, 'DR', 'SSL_GET {\n url {\n path /\n }\n }')).toMatch(/^Listen 8443\n<VirtualHost \*:8443>/)
  })

  it('says sorry to datagrams', () => {
    const udp = (text: string) => text.replace('protocol TCP', 'protocol UDP')
    const sorry = (server: string) => {
      const text = udp(service('10.0.0.100 514', 'DR', ['10.0.0.10 514'], 'PING_CHECK {\n }'))
      return pair(instance(), text.replace(/}\s*$/, `sorry_server ${server} 514\n}`))
    }
    expect(node(sorry('10.0.0.30'), 'rs2').files['/etc/rc.local']).toMatch(/^\/usr\/lib\/lvslab\/echo 514 udp$/m)
    expect(node(sorry('127.0.0.1'), 'd1').files).toEqual({})
  })

  it('says sorry on the directors', () => {
    const text = service('10.0.0.100 80', 'NAT', ['10.0.0.10 80']).replace(/}\s*$/, 'sorry_server 127.0.0.1 8080\n}')
    expect(node(pair(instance(), text), 'd1').files).toEqual({
      '/var/www/html/index.html': 'd1 sorry\n',
      '/etc/nginx/conf.d/sorry.conf': 'server { listen 8080; root /var/www/html; }\n',
    })
  })
})
