#!/bin/sh
# lvs_dr_rs.sh start|stop: makes this host a real server of the VIP, or ends that.
vip=10.0.0.100

# ARP is neither answered for an address of another device (arp_ignore) nor asked in its name (arp_announce).
arp() {
  for device in all lo; do
    echo "$1" >/proc/sys/net/ipv4/conf/$device/arp_ignore
    echo "$2" >/proc/sys/net/ipv4/conf/$device/arp_announce
  done
}

case $1 in
start)
  arp 1 2
  ip address add $vip/32 dev lo label lo:1
  ;;
stop)
  ip address del $vip/32 dev lo
  arp 0 0
  ;;
*)
  echo "usage: ${0##*/} start|stop" >&2
  exit 1
  ;;
esac
