-- Two processes that find no key must not both add one. Readers go on.
LOCK TABLE token_keys IN SHARE ROW EXCLUSIVE MODE
