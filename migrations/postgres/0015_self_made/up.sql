-- Whether the person made the account: nothing of it is proven, and a declaration that names it by accident takes nothing over.
ALTER TABLE users ADD COLUMN self_made BIGINT NOT NULL DEFAULT 0;
