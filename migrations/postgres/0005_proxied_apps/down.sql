DROP TABLE proxied_apps;
