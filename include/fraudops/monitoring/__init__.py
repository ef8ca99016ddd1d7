"""Whether what comes in, what is scored and what turns out to be fraud is still what the champion was trained on.

Measures of each scored partition are written once and added up; statuses are derived from them in the order of time.
"""
