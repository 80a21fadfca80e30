CREATE DATABASE IF NOT EXISTS wordpress;
GRANT ALL ON wordpress.* TO wordpress@'192.168.137.%' IDENTIFIED BY 'wordpress';
