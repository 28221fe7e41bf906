"""Paper trading: the classes of a replay, driven by a feed of live prices."""
