"""Documents are stored, found, changed and removed."""

from tinydb import TinyDB, where
from tinydb.operations import increment
from tinydb.storages import MemoryStorage

db = TinyDB(storage=MemoryStorage)
db.insert_multiple([{"name": "a", "n": 1}, {"name": "b", "n": 2}, {"name": "c", "n": 3}])
assert [row["name"] for row in db.search(where("n") >= 2)] == ["b", "c"]
db.update(increment("n"), where("name") == "a")
assert db.get(where("name") == "a")["n"] == 2
assert db.remove(~(where("name") == "a")) and len(db) == 1
