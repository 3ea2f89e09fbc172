"""The two simulators: the contracts they keep and the programs to run them from other tests."""
