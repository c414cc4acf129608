import gc

if hasattr(gc, "threshold"):  # early collections keep the heap in one piece while modules load
    gc.threshold(16384)
