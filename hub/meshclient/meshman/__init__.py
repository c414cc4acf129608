"""The command line `meshman`: one module per command group, on the frame of `frame`."""
