"""Make what is else made when a class is first used, at a moment when nobody waits for it."""

from tee_sim.shared.dataclass import make_methods
from tee_sim.shared.schema import Record, record_fields


def make_ready(*records: type[Record]) -> None:
    """Work out how these records, and those in them, are made, read and written."""
    todo, done = list(records), set[type[Record]]()
    while todo:
        record = todo.pop()
        if record not in done:
            done.add(record)
            make_methods(record)
            inner = (field.item or field.kind for field in record_fields(record))
            todo += [kind for kind in inner if issubclass(kind, Record)]
