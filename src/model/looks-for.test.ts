import { expect, test } from 'vitest'
import { looksFor } from './looks-for.ts'

test.for([
  ['killall -0 haproxy', 'haproxy'],
  ['/usr/bin/killall -q -0 nginx', 'nginx'],
  ['pidof haproxy', 'haproxy'],
  ['/usr/sbin/pidof -s kube-apiserver', 'kube-apiserver'],
  ['/usr/bin/pgrep -x mysqld', 'mysqld'],
  ['pkill -0 -x nginx', 'nginx'],
  [`/usr/bin/pidof 'haproxy'`, 'haproxy'],
])('%s looks for the process %s', ([command, process]) => {
  expect(looksFor(command as string)).toEqual({ process })
})

test.for(['pgrep nginx', 'pkill -0 nginx'])('%s looks for any process with that in its name', command => {
  expect(looksFor(command)).toEqual({ process: 'nginx', isPart: true })
})

test.for([
  ['/etc/keepalived/check_haproxy.sh', '/etc/keepalived/check_haproxy.sh'],
  ['/etc/keepalived/check.sh haproxy 80', '/etc/keepalived/check.sh'],
  ['/usr/bin/check_mysql.sh', '/usr/bin/check_mysql.sh'],
  ['/usr/local/bin/health 200', '/usr/local/bin/health'],
  ['/etc/keepalived/constructor -x haproxy', '/etc/keepalived/constructor'],
])('%s is what %s says', ([command, file]) => {
  expect(looksFor(command as string)).toEqual({ file, isRead: false })
})

test('a script that a shell reads need not be executable', () => {
  expect(looksFor('/bin/bash /etc/keepalived/check.sh')).toEqual({ file: '/etc/keepalived/check.sh', isRead: true })
})

test.for([
  'killall haproxy', // that kills it
  'pkill -x haproxy',
  'killall -0 haproxy || exit 1', // there is no shell: it looks for four
  'pgrep -f haproxy.cfg',
  'pidof rabbitmq-server-of-ours', // the kernel keeps 15 characters
  '/usr/bin/curl -sf http://127.0.0.1:6443/healthz',
  '/bin/sh -c "pidof haproxy"',
  String.raw`pidof \"haproxy\"`, // a name with quotes in it
  'check_haproxy.sh', // found in PATH
  '[ -f /etc/keepalived/down ]',
  '/usr/bin/python3.11 /etc/keepalived/check.py',
  '/usr/local/bin/python3 /etc/keepalived/check.py',
  '/usr/bin/nc.openbsd -z 127.0.0.1 80',
  '/etc/keepalived/../../../tmp/x.sh', // out of the folder of its node
  '/etc/keepalived/',
  '',
])('what %j looks for is not known', command => {
  expect(looksFor(command)).toBeUndefined()
})
