-- Access and refresh tokens (handlers/account/tokens).

-- The keys that sign them, shared by all processes and machines. Belongs to no tenant. `sealed_seed` is encrypted with the
-- secret of the installation, which is in a file and not in the database.
CREATE TABLE token_keys (
  kid text PRIMARY KEY CHECK (length(kid) BETWEEN 1 AND 64),
  sealed_seed bytea NOT NULL,
  signs_from timestamptz NOT NULL,                  -- later than created_at: all processes know it by then
  expires_at timestamptz,                           -- null: the newest; others go when what they have signed is expired
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Of a device of the kind 'refresh', key_hash is the hash of the id (jti) of its current refresh token.
ALTER TABLE devices
  ADD COLUMN previous_key_hash bytea CHECK (length(previous_key_hash) = 32),
  ADD COLUMN rotated_at timestamptz,
  ADD COLUMN expires_at timestamptz;                -- of the current refresh token; null for other kinds
CREATE INDEX devices_expires_at ON devices (expires_at) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;

-- An address is as good as a name for logging in, so it must be nobody else's. A name with an @ is its account's address.
-- Only plain ones here: others are spelled in several ways (login/email_wire.h).
UPDATE users SET email = split_part(name, '@', 1) || '@' || lower(split_part(name, '@', 2))
WHERE email IS NULL AND name ~ '^[A-Za-z0-9!#$%&''*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$' AND name !~* 'xn--';
CREATE UNIQUE INDEX users_email ON users (lower(email));

-- When an account that its owner has deleted goes.
ALTER TABLE users ADD COLUMN deletes_at timestamptz;
CREATE INDEX users_deletes_at ON users (deletes_at) WHERE deletes_at IS NOT NULL;

-- Codes with which somebody may register while registration is by invitation.
CREATE TABLE invitations (
  code_hash bytea PRIMARY KEY CHECK (length(code_hash) = 32),
  uses_left int NOT NULL CHECK (uses_left >= 0),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A name may be an address, which has up to 254 bytes.
ALTER TABLE users DROP CONSTRAINT users_name_check, ADD CONSTRAINT users_name_check CHECK (length(name) BETWEEN 1 AND 254);

-- Whose progress every account may see: many asked for it, and it is done once.
ALTER TABLE jobs ADD COLUMN is_shared boolean NOT NULL DEFAULT false;
