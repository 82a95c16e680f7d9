"""The service that decks.py compares with: shared decks as PostgREST serves them. A request is one call of a function of the
database, which takes the JSON of the request and gives that of the answer; the process in front checks the signature of the token
and passes both on. No roles, no merge of what two have edited, no positions of readers.

    DATABASE_URL=... JWT_SECRET=... uvicorn decks_reference:app --workers 2
"""

import contextlib
import os

import asyncpg
import jwt
from fastapi import FastAPI, HTTPException, Request, Response

SECRET = os.environ["JWT_SECRET"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS cards (deck text, guid text, ord bigint GENERATED ALWAYS AS IDENTITY, note_type text, fields jsonb, tags json,
  subdeck_path text, is_deleted boolean NOT NULL DEFAULT false, updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (deck, guid));
CREATE INDEX IF NOT EXISTS cards_ord ON cards (deck, ord);
CREATE TABLE IF NOT EXISTS changes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, deck text, guid text, field text, old_value text,
  new_value text, changed_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS changes_deck ON changes (deck, id);
CREATE OR REPLACE FUNCTION push(body jsonb) RETURNS json LANGUAGE sql AS $$
  WITH given AS MATERIALIZED (SELECT body->>'deck_id' AS deck, c.* FROM jsonb_to_recordset(body->'cards')
    AS c (card_guid text, note_type text, fields jsonb, tags json, subdeck_path text)),
  logged AS (INSERT INTO changes (deck, guid, field, old_value, new_value)
    SELECT g.deck, g.card_guid, f.key, old.fields->>f.key, f.value FROM given g CROSS JOIN LATERAL jsonb_each_text(g.fields) f
    LEFT JOIN cards old ON old.deck = g.deck AND old.guid = g.card_guid WHERE old.fields->>f.key IS DISTINCT FROM f.value RETURNING 1),
  saved AS (INSERT INTO cards (deck, guid, note_type, fields, tags, subdeck_path)
    SELECT deck, card_guid, note_type, fields, tags, subdeck_path FROM given
    ON CONFLICT (deck, guid) DO UPDATE SET note_type = excluded.note_type, fields = excluded.fields, tags = excluded.tags,
      subdeck_path = excluded.subdeck_path, updated_at = now() RETURNING 1)
  SELECT json_build_object('success', true, 'changes', (SELECT count(*) FROM logged), 'cards', (SELECT count(*) FROM saved)) $$;
CREATE OR REPLACE FUNCTION pull(body jsonb) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN (body->>'full_sync')::boolean THEN json_build_object('success', true, 'cards',
    (SELECT coalesce(json_agg(p), '[]') FROM (SELECT guid, guid AS card_guid, note_type, fields, tags, subdeck_path, updated_at FROM cards
      WHERE deck = body->>'deck_id' AND NOT is_deleted ORDER BY ord OFFSET (body->>'offset')::int LIMIT (body->>'limit')::int) p))
  ELSE json_build_object('success', true, 'changes',
    (SELECT coalesce(json_agg(c), '[]') FROM (SELECT id AS change_id, guid AS card_guid, guid, field AS field_name, old_value, new_value,
      changed_at FROM changes WHERE deck = body->>'deck_id' AND id > (body->>'since')::bigint ORDER BY id LIMIT (body->>'limit')::int) c)) END $$;
"""


@contextlib.asynccontextmanager
async def lifespan(app):
    app.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=16)
    async with app.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(1)")  # each worker makes the schema
        await connection.execute(SCHEMA)
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/last/{deck}")
async def last(deck: str):
    return await app.pool.fetchval("SELECT coalesce(max(id), 0) FROM changes WHERE deck = $1", deck)


@app.post("/rpc/{function}")
async def call(function: str, request: Request):
    try:
        jwt.decode(request.headers["authorization"].removeprefix("Bearer "), SECRET, algorithms=["HS256"])
    except (KeyError, jwt.PyJWTError) as error:
        raise HTTPException(401) from error
    if function not in ("push", "pull"):
        raise HTTPException(404)
    body = (await request.body()).decode()
    return Response(await app.pool.fetchval(f"SELECT {function}($1::jsonb)", body), media_type="application/json")
