"""Writers and readers as Python source, one function for each schema, with fastavro behind them."""

from serdes.codec.generated.reading import Reading
from serdes.codec.generated.writing import Writing

__all__ = ["Reading", "Writing"]
