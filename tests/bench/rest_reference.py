"""The service that rest.py compares with: the same reads by FastAPI, SQLAlchemy and asyncpg on the same tables, as such a
service is usually written. Its login is a token signed with HS256, a look into Redis and the account's row.

    DATABASE_URL=... REDIS_URL=... JWT_SECRET=... uvicorn rest_reference:app --workers 2

Recommendations are those of the original: the five most frequent genres of the list, and all titles with one of them.
"""

import datetime
import os

import jwt
import redis.asyncio
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ForeignKey, Table, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=16, max_overflow=0)
session_of = async_sessionmaker(engine, expire_on_commit=False)
denied = redis.asyncio.from_url(os.environ["REDIS_URL"])
SECRET = os.environ["JWT_SECRET"]
app = FastAPI()


class Base(DeclarativeBase):
    pass


links = Table("anime_title_genres", Base.metadata, Column("anime_id", ForeignKey("anime_titles.anime_id"), primary_key=True),
              Column("genre_id", ForeignKey("anime_genres.genre_id"), primary_key=True))


class Genre(Base):
    __tablename__ = "anime_genres"
    id: Mapped[int] = mapped_column("genre_id", primary_key=True)
    name: Mapped[str]
    mal_id: Mapped[int | None]


class Anime(Base):
    __tablename__ = "anime_titles"
    id: Mapped[int] = mapped_column("anime_id", primary_key=True)
    mal_id: Mapped[int]
    title: Mapped[str]
    title_english: Mapped[str | None]
    title_japanese: Mapped[str | None]
    synopsis: Mapped[str | None]
    score: Mapped[float | None]
    episodes: Mapped[int | None]
    status: Mapped[str | None]
    season: Mapped[str | None]
    year: Mapped[int | None]
    image_url: Mapped[str | None]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    genres: Mapped[list[Genre]] = relationship(secondary=links)


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column("user_id", primary_key=True)
    name: Mapped[str]


class Entry(Base):
    __tablename__ = "anime_entries"
    id: Mapped[int] = mapped_column("entry_id", primary_key=True)
    user_id: Mapped[int]
    anime_id: Mapped[int] = mapped_column(ForeignKey("anime_titles.anime_id"))
    status: Mapped[str]
    score: Mapped[float | None]
    progress: Mapped[int | None]
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    anime: Mapped[Anime] = relationship()


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class GenreShown(Shown):
    id: int
    name: str
    mal_id: int | None


class AnimeShown(Shown):
    title: str
    title_english: str | None
    title_japanese: str | None
    synopsis: str | None
    score: float | None
    episodes: int | None
    status: str | None
    season: str | None
    year: int | None
    image_url: str | None
    id: int
    mal_id: int
    created_at: datetime.datetime
    updated_at: datetime.datetime
    genres: list[GenreShown]


class ShortShown(Shown):
    id: int
    mal_id: int
    title: str
    image_url: str | None
    score: float | None


class EntryShown(Shown):
    id: int
    anime_id: int
    status: str
    score: float | None
    progress: int | None
    created_at: datetime.datetime
    updated_at: datetime.datetime
    anime: ShortShown


async def session():
    async with session_of() as opened:
        yield opened


async def user(token=Depends(HTTPBearer()), db=Depends(session)):
    try:
        claims = jwt.decode(token.credentials, SECRET, algorithms=["HS256"])
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Invalid token") from error
    if await denied.exists(f"blacklist:{claims['jti']}"):
        raise HTTPException(401, "Token has been revoked")
    found = await db.get(User, int(claims["sub"]))
    if found is None:
        raise HTTPException(401, "User not found")
    return found


@app.get("/users/me/list", response_model=list[EntryShown])
async def get_list(limit: int = Query(100, ge=1, le=1000), offset: int = Query(0, ge=0), owner=Depends(user), db=Depends(session)):
    query = (select(Entry).where(Entry.user_id == owner.id).order_by(Entry.created_at.desc(), Entry.id.desc())
             .limit(limit).offset(offset).options(selectinload(Entry.anime)))
    return (await db.scalars(query)).all()


@app.get("/anime/", response_model=list[AnimeShown])
async def get_titles(limit: int = Query(25, ge=1, le=100), offset: int = Query(0, ge=0), db=Depends(session)):
    query = select(Anime).order_by(Anime.score.desc().nulls_last(), Anime.id).limit(limit).offset(offset).options(selectinload(Anime.genres))
    return (await db.scalars(query)).all()


@app.get("/anime/{anime_id}", response_model=AnimeShown)
async def get_title(anime_id: int, db=Depends(session)):
    found = await db.get(Anime, anime_id, options=[selectinload(Anime.genres)])
    if found is None:
        raise HTTPException(404, "Not Found")
    return found


@app.get("/users/me/recommendations", response_model=list[AnimeShown])
async def recommend(limit: int = Query(10, ge=1, le=50), owner=Depends(user), db=Depends(session)):
    listed = select(Entry.anime_id).where(Entry.user_id == owner.id)
    top = (await db.scalars(select(links.c.genre_id).where(links.c.anime_id.in_(listed)).group_by(links.c.genre_id)
                            .order_by(func.count().desc()).limit(5))).all()
    query = (select(Anime).join(links, links.c.anime_id == Anime.id).where(links.c.genre_id.in_(top), Anime.id.not_in(listed))
             .distinct().order_by(Anime.score.desc().nulls_last()).limit(limit).options(selectinload(Anime.genres)))
    return (await db.scalars(query)).all()
