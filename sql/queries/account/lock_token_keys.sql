-- Two processes that find no key must not both add one. Readers are not blocked.
LOCK TABLE token_keys IN SHARE ROW EXCLUSIVE MODE
