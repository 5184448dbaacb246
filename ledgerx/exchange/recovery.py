"""Recovery: executes what the journal says through a fresh engine and compares every output, byte for byte.

A difference means that this build does not do what the one that wrote the journal did (or that the engine is
not deterministic), so that its state would not be the one clients were told of. The start stops there.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledgerx.errors import JournalDiverged
from ledgerx.exchange.engine import Engine, Execution
from ledgerx.exchange.journal_pb2 import Input, Output, Record

__all__ = ["execute_again", "make_record"]


def make_record(input_: Input, execution: Execution) -> Record:
    """The record of one execution."""
    return Record(
        number=execution.number,
        input=input_,
        outputs=[
            Output(cid=output.cid, topic=output.topic, sequence=output.sequence, message=output.message)
            for output in execution.outputs
        ],
    )


def execute_again(engine: Engine, records: Iterator[Record]) -> Iterator[Record]:
    """Execute each record's input and yield the record. Raises JournalDiverged, which names it."""
    for record in records:
        execution = engine.execute(record.input)
        if execution.number != record.number or len(execution.outputs) != len(record.outputs):
            raise JournalDiverged(
                f"record {record.number} was executed again as {execution.number} with"
                f" {len(execution.outputs)} outputs where {len(record.outputs)} were written:"
                " start the venue with the build that wrote the journal",
                number=record.number,
            )
        for index, (output, written) in enumerate(zip(execution.outputs, record.outputs, strict=True)):
            if output != (written.cid, written.topic, written.sequence, written.message):
                raise JournalDiverged(
                    f"record {record.number} was executed again and its output {index} differs from the one"
                    " written: start the venue with the build that wrote the journal",
                    number=record.number,
                )
        yield record
