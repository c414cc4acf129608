import gc

gc.threshold(16384)
