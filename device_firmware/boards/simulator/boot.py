import gc

gc.enable()
