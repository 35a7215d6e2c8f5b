"""The court: runs the witnesses at chosen settings, compares what they say with what is printed, gives verdicts."""
