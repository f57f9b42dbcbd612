"""What the command line exits with. Imports nothing, since whoever stops a call that has hardly
begun is answered too.
"""

HOLDS = 0
FAILS = 1
WRONG = 2
"""All expectations hold; one does not or a run was aborted; the call or a file is wrong (2 outranks
1).
"""

STOPPED = 130
"""After Ctrl-C, as a shell gives it."""
