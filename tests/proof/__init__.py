"""The planner's promises, checked from outside: forty demands, each plan replayed with fresh luck
and against cheaper settings.
"""
