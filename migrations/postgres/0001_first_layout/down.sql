DROP TABLE refusals, events, attempts, spent_assertions, revoked_access_tokens, access_tokens, refresh_tokens, grants,
    authorization_codes, consents, sessions, users, client_secrets, clients, resources, scopes, signing_keys, root_secret,
    directory_revision;
DROP SEQUENCE refusals_next, refused_sign_ins_next;
DROP FUNCTION grantor_directory_changed, grantor_next_refusal;
