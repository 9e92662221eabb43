"""What becomes of a record that cannot be read. Kafka has no dead letter queue; this is one, on a topic.

Owns the letter (the original bytes, the reason in headers), the decision what to do with a failure, and replay. The
modules of the hosts own the loops that use them.
"""

from serdes.dead_letters.letters import DeadLetterQueue, Letter, Record, check_queue
from serdes.dead_letters.triage import Action, Triage

__all__ = ["Action", "DeadLetterQueue", "Letter", "Record", "Triage", "check_queue"]
