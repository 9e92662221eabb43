"""Writers and readers as Python source, one function for each schema, with fastavro behind them."""
