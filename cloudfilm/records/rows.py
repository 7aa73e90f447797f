"""From SQL rows to frozen values, and the one upsert that both databases speak."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")


def value_of(kind: type[T], row: Any) -> T:
    """A frozen dataclass from the row's columns of the same names."""
    mapping = row._mapping
    return kind(**{field.name: mapping[field.name] for field in fields(kind)})  # type: ignore[arg-type]


def insert_or_ignore(c: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert; False when a unique key holds such a row already (ON CONFLICT DO NOTHING on both databases)."""
    dialect = postgresql if c.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return c.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1
