import { keyword, type Statement } from './parse.ts'
import { argument } from './values.ts'

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/))

const TIMING = 'retry delay_before_retry warmup delay_loop'
const CHECK = `connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark ${TIMING}`

/**
 * Words by block at which keepalived ends where nothing stands behind them (lib/parser.c `null_strvec`); it goes on without others.
 * Measured with the configuration test of 2.3.3, one word at a time. Commands are not among them: one whose quote is not closed is
 * read without a value too, and keepalived goes on.
 */
const STOPS = new Map([
  [
    'root',
    words(
      'child_wait_time virtual_server_group vrrp_script vrrp_track_process track_file vrrp_track_file virtual_server',
    ),
  ],
  [
    'global_defs',
    words(`process_name vrrp_process_name checker_process_name lvs_process_name bfd_process_name smtp_server smtp_connect_timeout
      vrrp_mcast_group4 vrrp_mcast_group6 vrrp_garp_master_delay vrrp_garp_master_repeat vrrp_garp_master_refresh
      vrrp_garp_master_refresh_repeat vrrp_garp_lower_prio_delay vrrp_garp_lower_prio_repeat vrrp_down_timer_adverts
      vrrp_garp_interval vrrp_gna_interval vrrp_version nftables_priority vrrp_rlimit_rttime vrrp_rlimit_rtime
      nftables_ipvs_priority nftables_ipvs_start_fwmark checker_rlimit_rttime checker_rlimit_rtime bfd_rlimit_rttime
      bfd_rlimit_rtime snmp_vs_stats_update_interval snmp_rs_stats_update_interval vrrp_startup_delay vmac_prefix
      vmac_addr_prefix umask random_seed config_save_dir`),
  ],
  [
    'vrrp_instance',
    words(`state interface vrf mcast_src_ip unicast_src_ip mcast_dst_ip virtual_router_id unicast_ttl version priority advert_int
      preempt_delay debug lvs_sync_daemon_interface garp_master_delay garp_master_refresh garp_master_repeat
      garp_master_refresh_repeat garp_lower_prio_delay garp_lower_prio_repeat down_timer_adverts`),
  ],
  ['authentication', words('auth_type auth_pass')],
  ['vrrp_script', words('interval timeout weight rise fall user')],
  ['vrrp_track_process', words('process quorum quorum_max delay terminate_delay fork_delay')],
  ['garp_group', words('garp_interval gna_interval interface')],
  [
    'virtual_server',
    words(`ip_family connect_timeout lb_algo lvs_sched lb_kind lvs_method persistence_engine persistence_granularity protocol
      quorum hysteresis weight sorry_server real_server ${TIMING}`),
  ],
  ['real_server', words(`weight lvs_method uthreshold lthreshold connect_timeout ${TIMING}`)],
  ['HTTP_GET', words(`${CHECK} nb_get_retry`)],
  ['SSL_GET', words(`${CHECK} nb_get_retry`)],
  ['url', words('path digest')],
  ['TCP_CHECK', words(CHECK)],
  ['PING_CHECK', words(CHECK)],
  ['UDP_CHECK', words(`${CHECK} min_reply_length max_reply_length`)],
  ['DNS_CHECK', words(`${CHECK} type name`)],
  ['SMTP_CHECK', words(CHECK)],
  ['host', words(CHECK)],
  ['MISC_CHECK', words(`misc_timeout ${TIMING}`)],
  ['FILE_CHECK', words('track_file')],
  ['bfd_instance', words('source_ip min_rx min_tx idle_tx multiplier ttl hoplimit max_hops weight')],
])

/**
 * Whether a statement that stands outside of every block, and all within it, have the values without which keepalived does not start.
 *
 * @throws LvslabError CONFIG_REFUSED where one is missing
 */
export const hasValues = (outer: Statement): true => {
  const lines = [{ statement: outer, block: 'root' }]
  for (const { statement, block } of lines) {
    const word = keyword(statement)
    if (STOPS.get(block)?.has(word)) argument(statement)
    for (const inner of statement.block ?? []) lines.push({ statement: inner, block: word })
  }
  return true
}
