<?php
// Debian's wp-config.php takes the file that is named like the host that was asked: the VIP.
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', 'wordpress');
define('DB_HOST', '192.168.137.132');

// Nothing leads out of the lab: what asks wordpress.org for news would wait for it.
define('WP_HTTP_BLOCK_EXTERNAL', true);
// A page starts cron by a request to the site itself, which a real server behind NAT does not reach: the other one answers it directly.
define('DISABLE_WP_CRON', true);
