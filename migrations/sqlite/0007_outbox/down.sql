DROP TABLE api_token_watches;
DROP TABLE outbox;
DROP TABLE notices;
