"""What every process that runs tests needs before it begins."""

import os
import signal

# The workers of pytest-xdist have the width of the terminal that it was started in; what is printed is tested as in a pipe.
os.environ.pop("COLUMNS", None)
# In the background of a script Ctrl-C is ignored, and processes started from here would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
