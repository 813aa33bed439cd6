"""Statements are split and formatted."""

import sqlparse

assert sqlparse.split("select 1; select 'a;b'") == ["select 1;", "select 'a;b'"]
assert sqlparse.format("select a,b from t where x=1", keyword_case="upper", reindent=True) == (
    "SELECT a,\n       b\nFROM t\nWHERE x=1"
)
(statement,) = sqlparse.parse("insert into t values (1)")
assert statement.get_type() == "INSERT"
