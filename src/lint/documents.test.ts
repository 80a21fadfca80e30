import { expect, it } from 'vitest'
import { findingsIn, placesOf } from './testing.ts'

/** Configurations as documents show them, typing errors and all: each error is named at its place. */

const real = (address: string) =>
  `real_server${address} 80 {\nweight 1\nTCP_CHECK {\nconnect_timeout 3\nnb_get_retry 3\ndelay_before_retry 3\n}\n}\n`
const pool = (vip: string, ...servers: string[]) =>
  `virtual_server ${vip} 80 {\ndelay_loop 6\nlb_algo wlc\nlb_kind DR\nnat_mask 255.255.255.0\npersistence_timeout 50\nprotocol TCP\n` +
  `${servers.map(real).join('')}}\n`

it('document 000: two pools, and a BACKUP whose block is not closed', () => {
  const master = `! Configuration File for keepalived
global_defs {
notification_email {
acassen@firewall.loc
failover@firewall.loc
sysadmin@firewall.loc
}
notification_email_from Alexandre.Cassen@firewall.loc
smtp_server 192.168.200.1
smtp_connect_timeout 30
router_id LVS_DEVEL
}
vrrp_instance VI_1 {
state MASTER
interface eth0
virtual_router_id 51
priority 100
advert_int 1
authentication {
auth_type PASS
auth_pass 1111
}
virtual_ipaddress {
10.0.1.100
10.0.1.200
}
}
${pool('10.0.1.100', '10.0.1.103', '10.0.1.104')}${pool('10.0.1.200', '10.0.1.105', '10.0.1.106')}`
  const backup = `vrrp_instance VI_1 {
state BACKUP
    interfaceeth0
    virtual_router_id 51
 priority 99
`
  const findings = findingsIn({ 'master.conf': master, 'backup.conf': backup })
  const poolAt = (line: number) => [
    `master.conf:${line}:1 service-empty`,
    `master.conf:${line + 4}:1 keyword-removed`,
    `master.conf:${line + 7}:1 keyword-joined`,
    `master.conf:${line + 11}:1 keyword-misplaced`,
    `master.conf:${line + 15}:1 keyword-joined`,
    `master.conf:${line + 19}:1 keyword-misplaced`,
  ]
  expect(placesOf(findings)).toEqual([
    'backup.conf:1:1 refused',
    'backup.conf:1:20 brace-unbalanced',
    'backup.conf:3:5 keyword-joined',
    ...poolAt(28),
    ...poolAt(52),
  ])
  const remedies = findings.filter(one => one.code === 'keyword-joined').map(one => one.remedy)
  expect(remedies).toEqual([
    'write: interface eth0',
    ...[3, 4, 5, 6].map(last => `write: real_server 10.0.1.10${last} 80`),
  ])
  expect(findings.find(one => one.code === 'keyword-misplaced')?.remedy).toContain('write retry')
})

it('document 000, pasted from its page: blanks that are none', () => {
  const findings = findingsIn({ 'a.conf': pool('10.0.1.100', ' 10.0.1.103').replaceAll(' ', '\u00a0') })
  expect(placesOf(findings)).toEqual([
    'a.conf:1:15 blank-odd',
    'a.conf:5:1 keyword-removed',
    'a.conf:12:1 keyword-misplaced',
  ])
})

it('document 002: BAKCUP, and notify lines behind the closing brace', () => {
  const NOTIFY = ['master', 'backup', 'fault'].map(to => `notify_${to} "/etc/keepalived/notify.sh ${to}"\n`).join('')
  const main = `! Configuration File for keepalived
global_defs {
router_id node1.qinglin.com #修改处:自定义为主机名或域名。
vrrp_skip_check_adv_addr
#vrrp_strict
vrrp_mcast_group4 233.6.6.6 #修改处:组播地址
}
include /etc/keepalived/conf.d/*.conf #增加处
`
  const vip = (state: string, priority: number) => `vrrp_instance VI_1 { #修改处:实例名称
state ${state} #修改处
interface eth0 #修改处:绑定为当前虚拟路由器使用的物理接口
virtual_router_id 50 #修改处
priority ${priority} #修改处
advert_int 1
authentication {
auth_type PASS #修改处
auth_pass 1111
}
virtual_ipaddress {
10.0.0.100/24 dev eth0 label eth0:1 #修改处
}
`
  const check = `weight 1
HTTP_GET { #修改处
url {
path /index.html
status_code 200
}
connect_timeout 1
nb_get_retry 3
delay_before_retry 1
}
}
`
  const lvs = `virtual_server 10.0.0.100 80 { #修改处
delay_loop 3
lb_algo rr
lb_kind DR
protocol TCP
sorry_server 127.0.0.1 80
real_server 10.0.0.10 80 {
${check}real_server 10.0.0.20 80 {
${check}}
`
  const findings = findingsIn({
    'd1/keepalived.conf': main,
    'd1/conf.d/lvs_nginx.conf': lvs,
    'd1/conf.d/vip_nginx.conf': `${vip('MASTER', 100)}}\n${NOTIFY}`,
    'd2/keepalived.conf': main,
    'd2/conf.d/lvs_nginx.conf': lvs,
    'd2/conf.d/vip_nginx.conf': `${vip('BAKCUP', 80)}${NOTIFY}}\n`,
  })
  const script = [14, 15, 16].map(line => `d2/conf.d/vip_nginx.conf:${line}:${line === 16 ? 14 : 15} script-unusable`)
  expect(placesOf(findings)).toEqual([
    'd1/conf.d/lvs_nginx.conf:15:1 keyword-deprecated',
    'd1/conf.d/lvs_nginx.conf:27:1 keyword-deprecated',
    'd1/conf.d/vip_nginx.conf:15:1 keyword-misplaced',
    'd1/conf.d/vip_nginx.conf:16:1 keyword-misplaced',
    'd1/conf.d/vip_nginx.conf:17:1 keyword-misplaced',
    'd2/conf.d/lvs_nginx.conf:15:1 keyword-deprecated',
    'd2/conf.d/lvs_nginx.conf:27:1 keyword-deprecated',
    'd2/conf.d/vip_nginx.conf:2:1 state-unknown',
    ...script,
  ])
})

it('document 002: one service by firewall mark', () => {
  const text = `virtual_server fwmark 50 { #修改处:防火墙标签
delay_loop 3
lb_algo rr
lb_kind DR
protocol TCP
sorry_server 127.0.0.1 80
real_server 10.0.0.10 80 {
weight 1
TCP_CHECK {
connect_timeout 1
}
}
}
`
  expect(placesOf(findingsIn({ 'lvs.conf': text }))).toEqual([
    'lvs.conf:5:1 protocol-of-mark',
    'lvs.conf:6:1 port-of-mark',
    'lvs.conf:7:1 port-of-mark',
  ])
})

it('document 003: persistence_timeout 0, nb_get_retry in TCP_CHECK, comments without a blank before them', () => {
  const server = (address: string, brace: string) => `real_server ${address} 80 ${brace}
weight 1 #:轉發伐值
TCP_CHECK {
connect_timeout 10 #:連接超時為10秒
nb_get_retry 3
delay_before_retry 3
connect_port 80 #連接埠為80
}
}
`
  const text = `! Configuration File for keepalived
global_defs { #全局定義
notification_email { #定義郵件
[email protected] #定義郵件地址
}
notification_email_from [email protected] #定義郵件地址
smtp_server mail.126.com #郵件伺服器
smtp_connect_timeout 30 #郵件超時時間
router_id LVS_DEVEL #route_id標識
}
vrrp_instance VI_1 { #定義VRR組
state MASTER #定義為MASTER主
interface eth1 #對外訪問的網路介面
virtual_router_id 100 #虛擬路由標識
priority 100 #主從優先順序
advert_int 1 #:廣播周期秒數
authentication {
auth_type PASS
auth_pass 2209
}
virtual_ipaddress {
10.0.0.210 #:虛擬VIP地址
}
}
virtual_server 10.0.0.210 80 { #:虛擬VIP地址
delay_loop 6 #健康檢查時間間隔
lb_algo rr #調用演算法為RR
lb_kind DR #調用架構模式為DR
persistence_timeout 0 #:同一IP
protocol TCP #使用TCP協議
${server('10.0.0.201', '{#:真實WEB伺服器地址與埠')}${server('10.0.0.204', '{')}}
`
  const findings = findingsIn({ 'keepalived.conf': text })
  expect(placesOf(findings)).toEqual([
    'keepalived.conf:6:32 value-extra',
    'keepalived.conf:29:1 persistence-zero',
    'keepalived.conf:35:1 keyword-misplaced',
    'keepalived.conf:44:1 keyword-misplaced',
  ])
})
