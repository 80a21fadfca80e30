#!/bin/sh
# quorum.sh gained|lost: what an operator would be told by mail or by pager.
echo "$1" >>/var/log/quorum.log
